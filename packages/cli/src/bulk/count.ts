/** A number as people read it: `10,000`. */
export function count(number: number): string {
  return number.toLocaleString("en-US");
}

/** `1 secret`, `10,000 secrets`. */
export function countSecrets(number: number): string {
  return `${count(number)} ${number === 1 ? "secret" : "secrets"}`;
}

/** The first few of many names: `a, b, c and 9,997 more`. */
export function fewNames(names: readonly string[], few = 3): string {
  // One more is no longer than its own name.
  if (names.length <= few + 1) return names.join(", ");
  return `${names.slice(0, few).join(", ")} and ${count(names.length - few)} more`;
}
