/** What is wrong with how a target took an input. */
export interface Find {
  readonly kind: "fault" | "slow" | "hang";
  readonly input: Uint8Array;
  /** For people: error and stack, or times. */
  readonly report: string;
  /** The same for finds that have one cause, as far as can be told. */
  readonly cause: string;
}

/** The find of an error that a target let through. */
export function faultOf(input: Uint8Array, error: unknown): Find {
  const thrown = error instanceof Error ? error : new Error(`thrown: ${String(error)}`);
  const lines = (thrown.stack ?? "").split("\n").map((line) => line.trim());
  const place = lines.find((line) => line.startsWith("at ") && line.includes("/packages/")) ?? "";
  // What is quoted from the input, numbers and all, differs from one input to the next.
  const [message = ""] = thrown.message.split("\n", 1);
  return {
    kind: "fault",
    input,
    report: thrown.stack ?? thrown.message,
    cause: `${thrown.name} ${place || message.slice(0, 80)}`,
  };
}
