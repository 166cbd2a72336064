import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mergeConfig } from "vitest/config";
import type { VitestPluginContext } from "vitest/node";
import settings from "../../vitest.config.ts";
import { type Fault, plant } from "./fault.ts";
import { sourceEntries } from "./import-graph.ts";

const root = join(import.meta.dirname, "../..");
const entries = sourceEntries(root);
/** One of ours, from `run-tests.ts`. */
const fault: Fault | undefined = JSON.parse(process.env.PLANTED_FAULT ?? "null") ?? undefined;
const planted = fault && join(root, fault.file);

/**
 * The unit tests with one fault in what is loaded of a source; no file is changed. Packages come from their sources, so
 * that a fault in one is in all tests above it without a build. Processes that tests start have the built packages,
 * without the fault.
 */
export default mergeConfig(settings, {
  root,
  plugins: [
    {
      name: "planted-fault",
      enforce: "pre",
      // Vitest keeps what it made of a file by what is on the disk, and there the fault is not.
      configureVitest: ({ defineCacheKeyGenerator }: VitestPluginContext) =>
        defineCacheKeyGenerator(({ id }) => (fault && id === planted ? false : undefined)),
      resolveId(id: string) {
        const source = entries.get(id);
        return source === undefined ? undefined : join(root, source);
      },
      load: (id: string) =>
        fault && id.replace(/\?.*$/, "") === planted ? plant(readFileSync(planted, "utf8"), fault) : undefined,
    },
  ],
  test: { bail: 1, passWithNoTests: false, maxWorkers: 2, retry: 0 },
});
