import type { RequestOptions } from "node:https";
import { MountRequirement } from "@flyte-secrets/core";
import { ask, podReview, postPod, type Target, taskPod } from "@flyte-secrets/webhook/testing";

/**
 * The value that a webhook with delivery Inline gives a pod of project p, domain d, for this key, over a connection of
 * its own. Throws with the answer of a pod that is not let in.
 */
export async function admittedValue(target: Target, key: string, options: RequestOptions = {}): Promise<string> {
  const asked = ask(key, { mountRequirement: MountRequirement.ENV_VAR, envVar: "KEY" });
  const patch = await postPod(target, podReview(taskPod([asked])), { agent: false, ...options });
  return JSON.parse(patch)[0].value[0].value;
}
