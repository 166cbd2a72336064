import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Requirement } from "./requirement.ts";

/** Where what is slow to make is kept between runs. */
export const cacheDirectory = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "flyte-secrets");

/** A Python package in a virtual environment of its own. */
export interface PythonPackage {
  readonly name: string;
  readonly version: string;
  /** Such as `[server]`. */
  readonly extras?: string;
  /** Others that it doesn't bring and that are used with it, such as `connectrpc==0.10.1`. */
  readonly companions?: readonly string[];
  /** A program that it installs; when that is there, so is the rest. */
  readonly program: string;
}

/** The path of a program in a package's virtual environment. */
export function pythonProgram(wanted: PythonPackage, program: string): string {
  return join(environmentOf(wanted), "bin", program);
}

function environmentOf({ name, version, companions = [] }: PythonPackage): string {
  return join(cacheDirectory, [`${name}-${version}`, ...companions.map((other) => other.replace("==", "-"))].join("-"));
}

/** Makes a virtual environment with the package in the user's cache unless there is one already. */
export function requirePython(wanted: PythonPackage): Requirement {
  const { name, version, extras = "", companions = [], program } = wanted;
  const venv = environmentOf(wanted);
  if (existsSync(pythonProgram(wanted, program))) return { missing: false };
  if (spawnSync("python3", ["-c", "import venv, ensurepip"]).status !== 0) {
    return { missing: true, what: "Python 3.10 or newer with venv", enable: "apt-get install python3-venv" };
  }
  mkdirSync(cacheDirectory, { recursive: true });
  rmSync(venv, { recursive: true, force: true });
  const specifiers = [`${name}${extras}==${version}`, ...companions];
  try {
    execFileSync("python3", ["-m", "venv", venv], { stdio: "pipe" });
    execFileSync(join(venv, "bin/pip"), ["install", "--quiet", ...specifiers], { stdio: "pipe" });
  } catch (error) {
    // A half-made environment must not pass for a whole one at the next run.
    renameSync(venv, `${venv}.broken-${process.pid}`);
    rmSync(`${venv}.broken-${process.pid}`, { recursive: true, force: true });
    return {
      missing: true,
      what: `the Python package ${name} ${version} (${error instanceof Error ? error.message : String(error)})`,
      enable: `python3 -m venv ${venv} && ${venv}/bin/pip install '${specifiers.join("' '")}'`,
    };
  }
  return { missing: false };
}
