import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Requirement } from "./requirement.ts";

/** The pinned release of Flyte's own client. */
export const FLYTE_VERSION = "2.12.1";

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "flyte-secrets");
const venv = join(cache, `flyte-${FLYTE_VERSION}`);

/** Programs of the virtual environment that {@link requireFlyte} makes. */
export const flytePrograms = { flyte: join(venv, "bin/flyte"), python: join(venv, "bin/python") };

/** Makes a virtual environment with Flyte's client in the user's cache unless there is one already. */
export function requireFlyte(): Requirement {
  if (existsSync(flytePrograms.flyte)) return { missing: false };
  if (spawnSync("python3", ["-c", "import venv, ensurepip"]).status !== 0) {
    return { missing: true, what: "Python 3.10 or newer with venv", enable: "apt-get install python3-venv" };
  }
  mkdirSync(cache, { recursive: true });
  rmSync(venv, { recursive: true, force: true });
  try {
    execFileSync("python3", ["-m", "venv", venv], { stdio: "pipe" });
    execFileSync(join(venv, "bin/pip"), ["install", "--quiet", `flyte==${FLYTE_VERSION}`], { stdio: "pipe" });
  } catch (error) {
    // A half-made environment must not pass for a whole one at the next run.
    renameSync(venv, `${venv}.broken-${process.pid}`);
    rmSync(`${venv}.broken-${process.pid}`, { recursive: true, force: true });
    return {
      missing: true,
      what: `the Python package flyte ${FLYTE_VERSION} (${error instanceof Error ? error.message : String(error)})`,
      enable: `python3 -m venv ${venv} && ${venv}/bin/pip install flyte==${FLYTE_VERSION}`,
    };
  }
  return { missing: false };
}
