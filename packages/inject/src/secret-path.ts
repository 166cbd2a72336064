import { cleanJoinPath } from "./pod/clean-join-path.ts";
import { SECRETS_DIRECTORY } from "./pod/injector.ts";

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
