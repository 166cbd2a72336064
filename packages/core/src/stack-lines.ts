/** What is read of an error to find where it was thrown. */
export interface ErrorText {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
}

/**
 * The frames of an error's stack, such as `at f (/home/me/a.ts:1:2)`, innermost first. Lines of its name and message are
 * none of them, whatever they look like: both may quote somebody else's text.
 */
export function stackLines({ name, message, stack = "" }: ErrorText): string[] {
  const end = headEnd({ name, message, stack });
  // Name and message may have been changed after the stack was made, and Node puts lines of code before some.
  const told = new Set(end === undefined ? `${name}\n${message}`.split("\n") : []);
  const lines = stack.slice(end).split("\n");
  return lines.flatMap((line) => (/^ {4}at /.test(line) && !told.has(line) ? [line.slice(4)] : []));
}

/** Where the message ends that a stack begins with, in its first line; undefined where it doesn't. */
function headEnd({ name, message, stack }: Required<ErrorText>): number | undefined {
  const head = name === "" || message === "" ? name + message : `${name}: ${message}`;
  if (stack.startsWith(head)) return head.length;
  const start = message === "" ? -1 : stack.indexOf(message);
  return start >= 0 && !stack.slice(0, start).includes("\n") ? start + message.length : undefined;
}
