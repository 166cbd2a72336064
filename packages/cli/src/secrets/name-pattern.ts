/** Whether a text has a sign with which names are searched for; no name of a secret has one. */
export const isPattern = (text: string): boolean => /[*?]/.test(text);

/**
 * Tells whether a name fits: `*` stands for any number of characters, `?` for one; without either, the text may stand
 * anywhere in the name. Regardless of case. Takes time in proportion to the lengths of both, multiplied.
 */
export function matchesPattern(name: string, pattern: string): boolean {
  const [text, sought] = [name.toLowerCase(), pattern.toLowerCase()];
  if (!isPattern(sought)) return text.includes(sought);
  let at = 0;
  let from = 0;
  /** Where the last `*` stands, and the first character of the name that it doesn't stand for. */
  let star: { pattern: number; name: number } | undefined;
  while (at < text.length) {
    if (sought[from] === "*") {
      star = { pattern: from, name: at };
      from++;
    } else if (from < sought.length && (sought[from] === "?" || sought[from] === text[at])) {
      from++;
      at++;
    } else if (star) {
      star.name++;
      at = star.name;
      from = star.pattern + 1;
    } else return false;
  }
  return /^\**$/.test(sought.slice(from));
}
