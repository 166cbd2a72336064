/**
 * Returns the result of `parse`, or throws the error of `tooDeep` when the stack overflows, as in a recursive parser
 * for deeply nested text.
 */
export function withinStack<T>(parse: () => T, tooDeep: () => Error): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof RangeError ? tooDeep() : error;
  }
}
