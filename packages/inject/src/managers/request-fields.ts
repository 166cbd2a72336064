import { excerpt, MountRequirement, type SecretRequest } from "@flyte-secrets/core";
import { cleanJoinPath } from "../pod/clean-join-path.ts";
import { SECRETS_DIRECTORY } from "./injector.ts";

/**
 * The reason why no secret of a manager can have the request's group as its name: the group is longer than such names.
 */
export function validateGroup({ group }: Pick<SecretRequest, "group">, manager: GroupNames): string | undefined {
  if (group.length <= manager.maxLength) return undefined;
  return `group has ${group.length} characters, and ${manager.what} has at most ${manager.maxLength}`;
}

/** What a request's group is to a manager, such as `the name of a Secret`, and its maximum length. */
export interface GroupNames {
  readonly what: string;
  readonly maxLength: number;
}

/**
 * The reason that managers give for a mount requirement which they can't serve, or which is no number of Flyte's
 * (I-12).
 */
export function describeUnknownMount({ mountRequirement, key }: SecretRequest): string {
  const name = Object.entries(MountRequirement).find(([, number]) => number === mountRequirement)?.[0];
  return `unrecognized mount requirement [${name ?? mountRequirement}] for secret [${excerpt(key)}]`;
}

/**
 * The reason why a path can't be authorised by its prefix; undefined for a plain path. A server or a client might
 * resolve `..`, decode escapes, or end the path at a quote, and so reach another secret than the prefix suggests.
 */
export function validatePath(path: string): string | undefined {
  if (!/^[-\w.~:@+=,/]*$/.test(path)) return 'the group has characters other than letters, digits and "-_.~:@+=,/"';
  const isStep = (part: string) => part === "" || part === "." || part === "..";
  return path.split("/").some(isStep) ? 'the group has an empty step, "." or ".." in its path' : undefined;
}

/** The reason why a version might be read as more than a version; undefined for a plain one. */
export function validateVersion(version: string): string | undefined {
  const isPlain = /^[-\w]*$/.test(version);
  return isPlain ? undefined : 'the group_version has characters other than letters, digits, "-" and "_"';
}

/** The reason why a key might be read as more than the name of a field; undefined for a plain one. */
export function validateKey(key: string): string | undefined {
  return /^[-\w.]*$/.test(key) ? undefined : 'the key has characters other than letters, digits, "-", "_" and "."';
}

/**
 * The path below {@link SECRETS_DIRECTORY} of `parts`, cleaned as Go's `path.Join` does, without the directory itself;
 * undefined for one that leaves the directory or is the directory.
 */
export function secretPath(...parts: string[]): string | undefined {
  const path = cleanJoinPath(SECRETS_DIRECTORY, ...parts);
  const below = `${SECRETS_DIRECTORY}/`;
  return path.startsWith(below) && !path.includes("\0") ? path.slice(below.length) : undefined;
}

/** The reason for refusing a request whose file would lie outside the secrets directory. */
export const PATH_LEAVES = `the path of its file is not below ${SECRETS_DIRECTORY}`;
