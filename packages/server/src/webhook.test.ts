import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

/** The packages that a source file loads, with all that it loads of this one. Types are not loaded, and what is loaded on demand isn't either. */
function packagesOf(file: string, seen = new Set<string>()): Set<string> {
  const found = new Set<string>();
  if (seen.has(file)) return found;
  seen.add(file);
  for (const [, from = ""] of readFileSync(file, "utf8").matchAll(
    /^(?:import|export) (?!type )[^;]*?from "([^"]+)";$/gms,
  )) {
    const reached = from.startsWith(".") ? packagesOf(join(dirname(file), from), seen) : [from];
    for (const name of reached) found.add(name);
  }
  return found;
}

const RPC = /^@connectrpc\/|^@bufbuild\/|^@flyte-secrets\/idl$/;
const rpcIn = (entry: string) => [...packagesOf(join(import.meta.dirname, entry))].some((name) => RPC.test(name));

test("the webhook alone loads nothing of the service's RPC stack", () => {
  expect({ all: rpcIn("index.ts"), webhook: rpcIn("webhook.ts") }).toEqual({ all: true, webhook: false });
});
