import { type Config, podNamespace } from "@flyte-secrets/config";
import type { CliContext } from "../context.ts";

/** The namespace that a program of this configuration runs in, or would run in. */
export function ownNamespace({ actions }: Config, { env }: Pick<CliContext, "env">): string {
  return podNamespace({ env, configured: actions.kubernetes.namespace });
}
