import { excerpt, type SecretRequest } from "@flyte-secrets/core";

/** How messages name a request: `[group/key]`, or `[key]`. */
export function requestName({ group, key }: SecretRequest): string {
  return group === "" ? `[${excerpt(key)}]` : `[${excerpt(group)}/${excerpt(key)}]`;
}
