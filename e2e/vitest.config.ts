import { defineConfig } from "vitest/config";
import { AttackTable } from "./attacks/attack-table.ts";

export default defineConfig({
  // Beside the reporters of the command line, which would take the place of those named here.
  plugins: [
    { name: "attack-table", configureVitest: ({ vitest }) => void vitest.config.reporters.push(new AttackTable()) },
  ],
  test: {
    include: ["e2e/**/*.test.ts"],
    // Real programs on few cores, which mostly wait: two suites at a time, with room for the slow ones.
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 300_000,
  },
});
