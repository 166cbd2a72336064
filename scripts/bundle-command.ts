// Puts the command and the packages that it loads into few files, as the image has it, since Node takes most of a
// start to find and compile a thousand modules: npx node scripts/bundle-command.ts --to DIRECTORY
import { cp, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build, type Metafile, type Plugin } from "esbuild";
import { readManifest, root } from "./published-packages.ts";

const COMMAND = join(root, "packages/cli");

/** Programs with files of their own, and CommonJS that is imported on demand, whose names a bundle would not have. */
const LEFT_OUT = ["esbuild", "tsx", "@peculiar/x509", "reflect-metadata", "yaml"];

/**
 * Bundles the built command into `directory`, which looks like its package then: `bin`, `dist`, `python` and
 * `package.json`. What is imported on demand stays in files of its own. Left in `node_modules` are optional peers, what
 * is loaded by `require`, and {@link LEFT_OUT}.
 */
export async function bundleCommand(directory: string): Promise<void> {
  const peers = await Promise.all(["cli", "http", "lookup"].map((name) => readManifest(join(root, "packages", name))));
  const { metafile } = await build({
    metafile: true,
    absWorkingDir: join(COMMAND, "dist"),
    // The second is started by its path.
    entryPoints: ["main.js", "run/child-main.js"],
    outdir: join(directory, "dist"),
    outbase: ".",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    // CommonJS in it requires Node's own modules.
    banner: {
      js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
    },
    plugins: [httpWithoutFetch],
    external: [...LEFT_OUT, ...peers.flatMap(({ peerDependencies = {} }) => Object.keys(peerDependencies))],
    legalComments: "inline",
    logLevel: "warning",
  });
  assertNamesKept(metafile);
  await mkdir(join(directory, "bin"), { recursive: true });
  for (const file of ["bin/flyte-secrets.js", "package.json", "python/read_tasks.py"]) {
    await cp(join(COMMAND, file), join(directory, file));
  }
}

/**
 * Node's `http` as CommonJS gets it. An `import` of it reads all that it exports, and so loads the whole of `fetch` for
 * the sake of `http.WebSocket`, which is a fifth of the time until `serve` is ready.
 */
const httpWithoutFetch: Plugin = {
  name: "http-without-fetch",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(?:node:)?http$/ }, () => ({ path: "http", namespace: "builtin" }));
    onLoad({ filter: /^http$/, namespace: "builtin" }, () => ({
      contents: 'module.exports = process.getBuiltinModule("node:http");',
    }));
  },
};

/** Throws for CommonJS that is imported on demand: in the bundle it has no other name than `default`. */
function assertNamesKept({ outputs }: Metafile): void {
  for (const { entryPoint = "", exports } of Object.values(outputs)) {
    const isNameless = entryPoint.includes("node_modules/") && exports.join() === "default";
    if (isNameless) throw new Error(`${entryPoint} is CommonJS that is imported on demand: add it to LEFT_OUT`);
  }
}

if (import.meta.main) {
  const { to } = parseArgs({ options: { to: { type: "string", default: "bundled" } } }).values;
  await bundleCommand(resolve(to));
}
