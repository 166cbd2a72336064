/**
 * What `parse` gives. Throws what `tooDeep` gives where it runs out of stack, as a parser that calls itself does for
 * text that is nested without end.
 */
export function withinStack<T>(parse: () => T, tooDeep: () => Error): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof RangeError ? tooDeep() : error;
  }
}
