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
