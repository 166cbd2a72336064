/** The members of an error that are needed to find its frames. */
export interface ErrorText {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
}

/**
 * The frames of an error's stack, such as `at f (/home/me/a.ts:1:2)`, innermost first. Lines of its name and message
 * never count as frames, because they may quote foreign text that looks like one.
 */
export function stackLines({ name, message, stack = "" }: ErrorText): string[] {
  const end = headEnd({ name, message, stack });
  // Name and message may have changed after the stack was recorded, and Node puts lines of code before some stacks.
  const told = new Set(end === undefined ? `${name}\n${message}`.split("\n") : []);
  const lines = stack.slice(end).split("\n");
  return lines.flatMap((line) => (/^ {4}at /.test(line) && !told.has(line) ? [line.slice(4)] : []));
}

/** The end of the message with which a stack begins; undefined where its first line doesn't contain the message. */
function headEnd({ name, message, stack }: Required<ErrorText>): number | undefined {
  const head = name === "" || message === "" ? name + message : `${name}: ${message}`;
  if (stack.startsWith(head)) return head.length;
  const start = message === "" ? -1 : stack.indexOf(message);
  return start >= 0 && !stack.slice(0, start).includes("\n") ? start + message.length : undefined;
}
