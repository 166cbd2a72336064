import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "@flyte-secrets/config";
import { isSecretsError } from "@flyte-secrets/core";
import { withStore } from "../store/with-store.ts";
import { type Finding, note, ok, problem } from "./finding.ts";

/** Whether the store opens with its master key and answers. */
export async function checkStore(config: Config): Promise<Finding> {
  if (config.secret.store.type === "Kubernetes") return note("the store is in a cluster: doctor --cluster looks at it");
  const file = join(config.secret.store.path, "store.db");
  if (!existsSync(file)) return note("no store yet; flyte-secrets create secret NAME makes one");
  try {
    await withStore(config, (store) => store.check());
    return ok("the store opens with its master key");
  } catch (error) {
    if (!isSecretsError(error)) throw error;
    return problem(`the store does not open`, error.message);
  }
}
