/**
 * `text` without what it has of `character` at the end, in time that grows with its length: `/x+$/` takes the square of it where
 * many stand in the middle.
 */
export function trimEndOf(text: string, character: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === character) end--;
  return text.slice(0, end);
}
