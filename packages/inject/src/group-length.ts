import type { SecretRequest } from "@flyte-secrets/core";

/** Why no secret of a manager can be called as the request's group: it is longer than that manager takes. */
export function groupFault({ group }: Pick<SecretRequest, "group">, manager: GroupNames): string | undefined {
  if (group.length <= manager.maxLength) return undefined;
  return `group has ${group.length} characters, and ${manager.what} has at most ${manager.maxLength}`;
}

/** What a manager's groups are, such as `the name of a Secret`, and how long they may be. */
export interface GroupNames {
  readonly what: string;
  readonly maxLength: number;
}
