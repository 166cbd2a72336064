import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "./python-environment.ts";
import type { Requirement } from "./requirement.ts";

/** A program that Go builds from a module. */
export interface GoProgram {
  readonly name: string;
  /** Import path of its main package. */
  readonly path: string;
  /** Such as `v1.0.7`. */
  readonly version: string;
}

const folder = ({ name, version }: GoProgram) => join(cacheDirectory, `${name}-${version}`);

/** Where {@link requireGoProgram} puts it. */
export function goProgram(program: GoProgram): string {
  return join(folder(program), program.name);
}

/** Builds the program into the user's cache unless it is there; takes minutes once, at low priority. */
export function requireGoProgram(program: GoProgram): Requirement {
  if (existsSync(goProgram(program))) return { missing: false };
  const install = ["go", "install", "-trimpath", `${program.path}@${program.version}`];
  const enable = `GOBIN=${folder(program)} CGO_ENABLED=0 ${install.join(" ")}`;
  const what = `${program.name} ${program.version}`;
  if (spawnSync("go", ["version"]).status !== 0) return { missing: true, what: `Go, for ${what}`, enable };
  mkdirSync(folder(program), { recursive: true });
  try {
    // The compiler spends a quarter of its time collecting garbage of processes that end soon.
    const env = { GOGC: "400", ...process.env, GOBIN: folder(program), CGO_ENABLED: "0" };
    execFileSync("nice", install, { env, stdio: "pipe" });
  } catch (error) {
    return { missing: true, what: `${what} (${error instanceof Error ? error.message : String(error)})`, enable };
  }
  return { missing: false };
}

/** The folder with the files of a Go module, which is downloaded where it is missing. */
export function goModule(path: string, version: string): string {
  const told: { readonly Dir: string } = JSON.parse(
    execFileSync("go", ["mod", "download", "-json", `${path}@${version}`], { encoding: "utf8", cwd: cacheDirectory }),
  );
  return told.Dir;
}
