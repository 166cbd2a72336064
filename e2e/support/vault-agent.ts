import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "./python-environment.ts";
import type { Requirement } from "./requirement.ts";
import { type ProgramResult, runProgram } from "./run-program.ts";

/** Of consul-template, with which Vault 1.21.4 renders the templates of its agent. */
const VERSION = "0.41.1";
const source = join(import.meta.dirname, "../vault-agent");
const program = join(cacheDirectory, `vault-agent-${VERSION}`, "vault-agent");

/** The engine of Vault's agent (`e2e/vault-agent`). With `CI=true` it is built, which takes a minute once. */
export function requireVaultAgent(): Requirement {
  const build = ["build", "-C", source, "-trimpath", "-ldflags", "-s -w", "-o", program, "."];
  if (!existsSync(program) && process.env.CI === "true") {
    execFileSync("go", build, { env: { GOGC: "400", ...process.env, CGO_ENABLED: "0" }, stdio: "inherit" });
  }
  if (existsSync(program)) return { missing: false };
  return {
    missing: true,
    what: `the engine of Vault's agent in ${program}`,
    enable: `CGO_ENABLED=0 go build -C ${source} -trimpath -ldflags '-s -w' -o ${program} .`,
  };
}

/** What the agent is configured with for one file. */
export interface AgentTemplate {
  readonly contents: string;
  readonly destination: string;
  readonly errorOnMissingKey: boolean;
}

/** Has the agent write these files once; exit code 1, and its reason on standard error, where it can't. */
export function runVaultAgent(
  vault: { readonly address: string; readonly token: string },
  templates: readonly AgentTemplate[],
): Promise<ProgramResult> {
  const { address, token } = vault;
  return runProgram(program, [], { input: JSON.stringify({ address, token, templates }) });
}
