import { createEmbeddedInjector, createGlobalInjector } from "@flyte-secrets/inject";
import { createLookup, createStoreFetcher } from "@flyte-secrets/lookup";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { runLocal } from "../../src/run/run-local.ts";

// A runner in a process of its own, for the tests that kill it: DIRECTORY FILE TASK.
const [directory = "", file = "", name = ""] = process.argv.slice(2);
const store = await openEmbeddedStore({ directory });
await runLocal({
  file,
  name,
  input: undefined,
  mask: true,
  mount: false,
  verbose: false,
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  cwd: process.cwd(),
  colors: { stdout: false, stderr: false },
  signal: new AbortController().signal,
  injection: {
    scope: { org: "flyte", project: "flytesnacks", domain: "development" },
    lookup: createLookup({ fetcher: createStoreFetcher(store) }),
    global: { readVariable: () => undefined, readFile: async () => undefined },
    createManagersOver: ({ lookup, global }) => [createGlobalInjector(global), createEmbeddedInjector({ lookup })],
    missingHelp: async () => [],
    delivery: "SecretRef",
    escapeVariables: false,
    secretEnvVarPrefix: "_UNION_",
    envVarNaming: "raw",
  },
});
