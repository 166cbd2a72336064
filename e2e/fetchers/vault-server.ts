import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { cacheDirectory } from "../support/python-environment.ts";
import type { Requirement } from "../support/requirement.ts";

const VERSION = "1.21.4";
const source = join(import.meta.dirname, "../vault");
const program = join(cacheDirectory, `vault-${VERSION}`, "vault-server");

/** A Vault of Vault's own code (`e2e/vault`). With `CI=true` it is built, which takes minutes once. */
export function requireVault(): Requirement {
  const build = ["build", "-C", source, "-trimpath", "-ldflags", "-s -w", "-o", program, "."];
  if (!existsSync(program) && process.env.CI === "true") {
    execFileSync("go", build, { env: { GOGC: "400", ...process.env, CGO_ENABLED: "0" }, stdio: "inherit" });
  }
  if (existsSync(program)) return { missing: false };
  return {
    missing: true,
    what: `Vault ${VERSION} in ${program}`,
    enable: `CGO_ENABLED=0 go build -C ${source} -trimpath -ldflags '-s -w' -o ${program} .`,
  };
}

/** A running Vault, in memory, unsealed. */
export interface VaultServer {
  readonly address: string;
  readonly token: string;
  /** A call with the root token; the answer's body. Throws for a status of 400 and above. */
  call(method: string, path: string, body?: object): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

/** Starts one. */
export async function startVault(): Promise<VaultServer> {
  const child = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "close");
  const [line] = await once(createInterface(child.stdout), "line");
  const { address, token }: Record<"address" | "token", string> = JSON.parse(String(line));
  return {
    address,
    token,
    async call(method, path, body) {
      const response = await fetch(`${address}/v1/${path}`, {
        method,
        headers: { "x-vault-token": token },
        ...(body && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return text === "" ? {} : JSON.parse(text);
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}
