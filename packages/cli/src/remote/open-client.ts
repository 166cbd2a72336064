import { SecretsError } from "@flyte-secrets/core";
import { createSecretsClient, type SecretsClient } from "@flyte-secrets/sdk/remote";
import type { ScopeOptions } from "../options/common-options.ts";
import type { Target } from "./target.ts";

/**
 * A client of a target (see `target.ts` for how one is found) for one scope: none given is global, as in Flyte's CLI, whatever the
 * environment says of a task's.
 */
export async function openClient(target: Target, { project = "", domain = "" }: ScopeOptions): Promise<SecretsClient> {
  if (target.kind !== "store") return createSecretsClient({ ...target.connection, project, domain });
  throw new SecretsError(
    "no_service",
    "no server of this user runs, and no other is named. Start one on this machine with `flyte-secrets serve`, or name one: " +
      "--endpoint, FLYTE_ENDPOINT, or admin.endpoint in ~/.flyte/config.yaml",
  );
}
