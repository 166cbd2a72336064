/** One change of a source that makes it wrong, in a way that somebody could make by mistake. */
export interface Fault {
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Text of the file, there exactly once. */
  readonly find: string;
  readonly replace: string;
  /** What goes wrong with it. */
  readonly harm: string;
  /** Why no test can notice it: then it is planted only when it is asked for by name. */
  readonly explained?: string;
}

/**
 * The source with the fault in it; undefined where it doesn't have the text exactly once, as after a change of that
 * line.
 */
export function plant(source: string, { find, replace }: Fault): string | undefined {
  const at = source.indexOf(find);
  if (at === -1 || source.indexOf(find, at + 1) !== -1) return undefined;
  return source.slice(0, at) + replace + source.slice(at + find.length);
}
