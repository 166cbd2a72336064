import { posix } from "node:path";

/**
 * Joins path parts and cleans the result as Go's `path.Join` does: empty parts are skipped, repeated `/` become one,
 * `.` and `..` are resolved, no trailing `/`; nothing but empty parts gives the empty string (I-9).
 */
export function cleanJoinPath(...parts: string[]): string {
  const joined = parts.filter((part) => part !== "").join("/");
  if (joined === "") return "";
  const path = posix.normalize(joined);
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}
