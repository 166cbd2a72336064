import { excerpt, MountRequirement, type SecretRequest } from "@flyte-secrets/core";

/** What managers say to a mount requirement that they can't serve, also to a number that is none. */
export function unrecognizedMount({ mountRequirement, key }: SecretRequest): string {
  const name = Object.entries(MountRequirement).find(([, number]) => number === mountRequirement)?.[0];
  return `unrecognized mount requirement [${name ?? mountRequirement}] for secret [${excerpt(key)}]`;
}
