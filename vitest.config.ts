import { transform } from "esbuild";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [
    {
      // Vitest's own compiler leaves standard decorators as they are, and no Node runs them yet.
      name: "standard-decorators",
      enforce: "pre",
      transform: (code, id) =>
        id.endsWith(".ts") && /^\s*@\w+\(/m.test(code)
          ? transform(code, { loader: "ts", target: "es2022", sourcemap: true, sourcefile: id })
          : undefined,
    },
  ],
  test: {
    include: ["packages/*/src/**/*.test.ts", "scripts/**/*.test.ts", "fuzz/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // A poll ends when what it waits for is there. Its default of a second says more of the machine than of the code.
    expect: { poll: { timeout: 20_000 } },
  },
});
