/** How verdicts can be printed. */
export const CHECK_FORMATS = ["table", "table-simple", "json", "json-raw", "junit", "sarif", "github"] as const;
export type CheckFormat = (typeof CHECK_FORMATS)[number];

/** How bad something is; `ok` for what is as it should be. */
export type Level = "ok" | "note" | "warning" | "error";

/** What can become of a request: its usual level, and one sentence for people who meet it in a report. */
export const VERDICTS = {
  found: { level: "ok", title: "The secret is there" },
  broader: { level: "note", title: "The secret is there at a broader scope only, which others share" },
  deferred: { level: "note", title: "The pod reads the secret when it starts, so that it isn't known yet" },
  missing: { level: "error", title: "The secret is nowhere that the task may have it from" },
  refused: { level: "error", title: "A rule of the webhook does not let this pod have the secret" },
  conflict: { level: "error", title: "Two secrets, or a secret and something of the pod, would have one place" },
  unreadable: { level: "error", title: "The secret is there, and its value can't be given in this way" },
  impossible: { level: "error", title: "There can be no such secret, or no manager can give it in this way" },
  rejected: { level: "error", title: "The webhook would reject the pod" },
  unlabelled: { level: "error", title: "The webhook is not asked about the pod, which gets no secrets" },
  undeclared: { level: "error", title: "A task asks for a secret that the project file does not declare" },
  unused: { level: "warning", title: "The project file declares a secret that no task asks for" },
} as const satisfies Readonly<Record<string, { readonly level: Level; readonly title: string }>>;

export type VerdictCode = keyof typeof VERDICTS;

/** What was found out about one request, or about a pod as a whole. Never has a value. */
export interface Verdict {
  /** As it was named. */
  readonly file: string;
  /** Whose request it is: `task train`, `Pod shop-dev/train`. */
  readonly subject: string;
  /** What is asked for: `db/password`. Absent where it is about the subject as a whole. */
  readonly secret?: string;
  readonly code: VerdictCode;
  readonly level: Level;
  readonly message: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** What is said about a code, at its usual level unless another is given. */
export function verdict(
  code: VerdictCode,
  rest: Omit<Verdict, "code" | "level"> & { readonly level?: Level },
): Verdict {
  return { code, level: VERDICTS[code].level, ...rest };
}
