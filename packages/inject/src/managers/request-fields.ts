import { excerpt, MountRequirement, type SecretRequest } from "@flyte-secrets/core";
import { cleanJoinPath } from "../pod/clean-join-path.ts";
import { SECRETS_DIRECTORY } from "./injector.ts";

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

/** What managers say to a mount requirement that they can't serve, also to a number that is none (I-12). */
export function unrecognizedMount({ mountRequirement, key }: SecretRequest): string {
  const name = Object.entries(MountRequirement).find(([, number]) => number === mountRequirement)?.[0];
  return `unrecognized mount requirement [${name ?? mountRequirement}] for secret [${excerpt(key)}]`;
}

/**
 * Why a path may lead elsewhere than it says, for whoever goes by what it begins with: a server, or the program that asks it,
 * may resolve steps, decode escapes or take a quote for an end. Undefined for a plain one.
 */
export function pathFault(path: string): string | undefined {
  if (!/^[-\w.~:@+=,/]*$/.test(path)) return 'the group has characters other than letters, digits and "-_.~:@+=,/"';
  const isStep = (part: string) => part === "" || part === "." || part === "..";
  return path.split("/").some(isStep) ? 'the group has an empty step, "." or ".." in its path' : undefined;
}

/** Why a version may be more than that. */
export function versionFault(version: string): string | undefined {
  const isPlain = /^[-\w]*$/.test(version);
  return isPlain ? undefined : 'the group_version has characters other than letters, digits, "-" and "_"';
}

/** Why a key may be more than the name of a field. */
export function fieldFault(key: string): string | undefined {
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

/** Why a request whose files would be elsewhere is refused. */
export const PATH_LEAVES = `the path of its file is not below ${SECRETS_DIRECTORY}`;
