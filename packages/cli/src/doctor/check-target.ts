import { isSecretsError } from "@flyte-secrets/core";
import type { Host } from "../host.ts";
import { describeTarget, findTarget, ownStore } from "../remote/target.ts";
import { type Finding, note, ok, problem } from "./finding.ts";

/** Where this user's commands on secrets go without an option, and what names that place. */
export async function checkTarget(host: Host): Promise<Finding[]> {
  try {
    const target = await findTarget({}, host);
    const where = describeTarget(target, host);
    if (target.kind !== "endpoint") return [ok(`create, get and the like go to ${where}`)];
    if (target.besides === undefined) return [note(`create, get and the like go to ${where}`)];
    const own = describeTarget(ownStore(target.besides), host);
    return [
      note(`two places are known: ${where}, and ${own}`),
      note("get asks the first; create, update, delete and import want to be told: --local or --endpoint"),
    ];
  } catch (error) {
    // Told by the checks of the files and the server.
    if (isSecretsError(error, "unsafe_permissions") || isSecretsError(error, "call_refused")) return [];
    if (!isSecretsError(error)) throw error;
    return [problem(error.message, "until then, say where with --local or --endpoint")];
  }
}
