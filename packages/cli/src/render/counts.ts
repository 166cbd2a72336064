/** A number as people read it: `10,000`. */
export function formatCount(number: number): string {
  return number.toLocaleString("en-US");
}

/** `1 secret`, `10,000 secrets`. */
export function formatSecretCount(number: number): string {
  return `${formatCount(number)} ${number === 1 ? "secret" : "secrets"}`;
}

/** The first few of many names: `a, b, c and 9,997 more`. */
export function abbreviateNames(names: readonly string[], few = 3): string {
  // One more is no longer than its own name.
  if (names.length <= few + 1) return names.join(", ");
  return `${names.slice(0, few).join(", ")} and ${formatCount(names.length - few)} more`;
}
