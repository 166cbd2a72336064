import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { afterEach, beforeEach } from "vitest";
import { callCli } from "./call-cli.ts";
import type { CliResult } from "./run-cli.ts";

/** A user's home with a data directory in it, new for each test. */
export interface CliHome {
  readonly home: string;
  readonly store: string;
  /** What commands get; a test may add to it. */
  readonly env: Record<string, string>;
  /** Removes the store. */
  renew(): Promise<void>;
  /** Runs a command line in `home`. */
  call(...args: string[]): Promise<CliResult>;
  /** `serve` on the data directory. */
  serve(): Promise<ServeProcess & AsyncDisposable>;
  /** Puts `NAME`, `DOMAIN/NAME` or `DOMAIN/PROJECT/NAME` into the store, which is made where it is missing. */
  keep(secrets: Record<string, string | Uint8Array>, type?: "generic" | "image_pull"): Promise<void>;
  /** The value in the store, as text. */
  kept(name: string, domain?: string, project?: string): Promise<string | undefined>;
}

/** Makes and removes the home around each test of the file that calls it; its fields are set while a test runs. */
export function useCliHome(): CliHome {
  const fields = { home: "", store: "", env: {} as Record<string, string> };
  beforeEach(() => {
    const home = mkdtempSync(join(tmpdir(), "cli-home-"));
    const store = join(home, "store");
    const env = {
      HOME: home,
      PATH: process.env.PATH ?? "",
      SECRET_STORE_PATH: store,
      // The domain of the pods in these tests; Flyte has none of that name.
      WEBHOOK_SCOPEBINDING_DOMAINS: "dev",
    };
    Object.assign(fields, { home, store, env });
  });
  afterEach(() => {
    rmSync(fields.home, { recursive: true });
  });
  return Object.assign(fields, {
    renew: async () => rmSync(fields.store, { recursive: true, force: true }),
    call: (...args: string[]) => callCli({ args, env: fields.env, cwd: fields.home }),
    async serve() {
      const server = await startServe({ directory: fields.home });
      return { ...server, [Symbol.asyncDispose]: async () => void (await server.close()) };
    },
    async keep(secrets: Record<string, string | Uint8Array>, type: "generic" | "image_pull" = "generic") {
      const opened = await openEmbeddedStore({ directory: fields.store });
      for (const [path, value] of Object.entries(secrets)) {
        const [name = "", ...scope] = path.split("/").reverse();
        const [domain = "", project = ""] = scope.reverse();
        const bytes = typeof value === "string" ? SecretValue.fromText(value) : SecretValue.fromBytes(value);
        await opened.create({ org: "flyte", domain, project, name }, { value: bytes, type });
      }
      await opened.close();
    },
    async kept(name: string, domain = "", project = "") {
      const opened = await openEmbeddedStore({ directory: fields.store });
      const value = await opened.read({ org: "flyte", domain, project, name });
      await opened.close();
      return value?.revealText();
    },
  });
}

/** What a command gives that went well. */
export function success(stdout: string): CliResult {
  return { exitCode: 0, stdout, stderr: "" };
}

/** What a command gives that went wrong. */
export function failure(exitCode: number, line: string): CliResult {
  return { exitCode, stdout: "", stderr: `error: ${line}\n` };
}
