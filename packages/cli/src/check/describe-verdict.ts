import type { Verdict } from "./verdict.ts";

/** The message, and what to do. */
export function describe({ message, remedy }: Verdict): string {
  return remedy === undefined ? message : `${message}. ${remedy}`;
}

/** What a verdict is about, in one text. */
export function about({ subject, secret }: Verdict): string {
  return secret === undefined ? subject : `${subject}: ${secret}`;
}
