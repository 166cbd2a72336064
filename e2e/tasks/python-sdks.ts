import { dirname, join } from "node:path";
import { pythonProgram, requirePython } from "../support/python-environment.ts";
import type { Requirement } from "../support/requirement.ts";

/** One release of one of Flyte's SDKs for Python, in a virtual environment of its own. */
export interface PythonSdk {
  readonly title: string;
  readonly python: string;
  /** Where its programs are, those that Flyte's pods run among them. */
  readonly programs: string;
  /** Answers questions about requests, by the SDK's own code. */
  readonly requestsScript: string;
  /** Makes the environment unless there is one already. */
  require(): Requirement;
}

function sdk(name: "flytekit" | "flyte", version: string, program: string): PythonSdk {
  const wanted = { name, version, program };
  const python = pythonProgram(wanted, "python");
  return {
    title: `${name} ${version}`,
    python,
    programs: dirname(python),
    requestsScript: join(import.meta.dirname, `${name}_requests.py`),
    require: () => requirePython(wanted),
  };
}

/** Flyte 1's: the newest release and one of the minor before it. */
export const FLYTEKITS = [sdk("flytekit", "1.16.31", "pyflyte-execute"), sdk("flytekit", "1.15.4", "pyflyte-execute")];

/** Flyte 2's: the same. */
export const FLYTES = [sdk("flyte", "2.12.1", "flyte"), sdk("flyte", "2.11.4", "flyte")];

/** The newest release and the oldest whose files `run` and `exec --from` read, of each. */
export const FLYTEKIT_ENDS = [...FLYTEKITS.slice(0, 1), sdk("flytekit", "1.15.0", "pyflyte-execute")];
export const FLYTE_ENDS = [...FLYTES.slice(0, 1), sdk("flyte", "2.0.0", "flyte")];
