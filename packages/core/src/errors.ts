/** How one error code looks on each surface. */
export interface ErrorKind {
  /**
   * Connect's code name (https://connectrpc.com/docs/protocol#error-codes). Flyte's clients retry a call that fails
   * with `unavailable` or `internal`, and start a login at `unauthenticated`, `permission_denied` and `unknown`. So
   * retryable errors, and no others, are `unavailable`, `internal` is for our own bugs, and the last two codes are not
   * used.
   */
  readonly connect:
    | "invalid_argument"
    | "not_found"
    | "already_exists"
    | "failed_precondition"
    | "unavailable"
    | "resource_exhausted"
    | "canceled"
    | "unauthenticated"
    | "unimplemented"
    | "data_loss"
    | "internal";
  /**
   * Status code of the admission answer: Flyte fails a task finally at 400 and retries it at 503 and 500. So 503 is for
   * failures that pass with time, 500 for bugs of flyte-secrets, and 400 for everything that somebody has to change.
   */
  readonly admission: 400 | 500 | 503;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  /**
   * Who can do something about it: `author`, who wrote the call, the task or the command; `operator`, who runs what
   * refuses it; `time`, where the same call may succeed later; `us`.
   */
  readonly mendedBy: "author" | "operator" | "time" | "us";
  /** Exit code of the command line: 2 for usage, 1 for the rest. */
  readonly exit: 1 | 2;
  /** One sentence for `docs/errors.md`: what it means and what to do. */
  readonly meaning: string;
}

const kind = (
  connect: ErrorKind["connect"],
  admission: ErrorKind["admission"],
  meaning: string,
  rest: { mendedBy?: ErrorKind["mendedBy"]; exit?: 1 | 2 } = {},
): ErrorKind => {
  const { mendedBy = "author", exit = 1 } = rest;
  return { connect, admission, meaning, mendedBy, retryable: mendedBy === "time", exit };
};

/**
 * Every error this project raises on purpose. A message made with one of these codes is safe for callers: it names
 * fields, rules, ids and remedies, never a value. Anything else that is thrown becomes `internal` at the edge.
 */
export const ERROR_KINDS = {
  invalid_argument: kind("invalid_argument", 400, "A field breaks a rule; the message names the field and the rule."),
  invalid_annotation: kind(
    "invalid_argument",
    400,
    "A pod annotation is not a legal secret request; the message names it.",
  ),
  limit_exceeded: kind(
    "invalid_argument",
    400,
    "A pod asks for more than the webhook does for one; the message names the setting that says how much that is.",
  ),
  value_missing: kind("invalid_argument", 400, "A secret was written without a value. An empty value is a value."),
  value_too_large: kind("invalid_argument", 400, "The value is over the store's limit; the message has both sizes."),
  page_token_invalid: kind(
    "invalid_argument",
    400,
    "The page token is not one of this listing. List again without a token.",
  ),
  page_token_expired: kind("invalid_argument", 400, "The page token is too old. List again without a token."),
  not_found: kind("not_found", 400, "There is no secret of that name at that scope."),
  already_exists: kind("already_exists", 400, "There is a secret of that name at that scope. Update it instead."),
  not_injected: kind(
    "failed_precondition",
    400,
    "No secret manager could serve a pod's request; the message lists what each tried.",
  ),
  mount_unsupported: kind("invalid_argument", 400, "A secret manager cannot serve this mount requirement."),
  claim_refused: kind(
    "failed_precondition",
    400,
    "A pod claims a scope that is not its own; the message names the setting that would allow it.",
  ),
  pod_conflict: kind(
    "failed_precondition",
    400,
    "Two secrets, or a secret and a thing of the pod, would have one variable, file or name; the message says " +
      "which to change.",
  ),
  credentials_refused: kind(
    "failed_precondition",
    503,
    "A backend refused our credentials; the message says what to fix. It is tried again: they do so for a " +
      "moment, too, as while a token is renewed.",
    { mendedBy: "operator" },
  ),
  unauthenticated: kind("unauthenticated", 400, "The caller's credentials are missing or wrong."),
  issuer_unavailable: kind(
    "unavailable",
    503,
    "The issuer of tokens is out of reach and its keys are not in memory, so that no token can be checked. Try again.",
    { mendedBy: "time" },
  ),
  store_unavailable: kind("unavailable", 503, "The store is down, busy or out of reach. Try again.", {
    mendedBy: "time",
  }),
  value_unreadable: kind(
    "failed_precondition",
    400,
    "A secret manager has the secret but no value that can be read; the message says what to mend.",
    { mendedBy: "operator" },
  ),
  store_full: kind(
    "resource_exhausted",
    400,
    "The disk that holds the store is full. Free space; nothing was written.",
    { mendedBy: "operator" },
  ),
  store_read_only: kind("failed_precondition", 400, "The store cannot be written; the message names the path.", {
    mendedBy: "operator",
  }),
  store_too_new: kind(
    "failed_precondition",
    400,
    "The store was written by a newer version. Upgrade this one; nothing was changed.",
    { mendedBy: "operator" },
  ),
  store_damaged: kind("data_loss", 400, "The store's content fails its check. Restore a backup.", {
    mendedBy: "operator",
  }),
  store_key_missing: kind(
    "failed_precondition",
    400,
    "The store's master key is not where it should be; the message names the place.",
    { mendedBy: "operator" },
  ),
  store_key_wrong: kind("failed_precondition", 400, "The master key does not open this store. Nothing was changed.", {
    mendedBy: "operator",
  }),
  unsafe_permissions: kind(
    "failed_precondition",
    400,
    "A file or directory with secrets is open to others; the message has the command that mends it.",
    { mendedBy: "operator" },
  ),
  no_service: kind(
    "failed_precondition",
    400,
    "No service is known. Start `flyte-secrets serve`, or name an endpoint.",
    { mendedBy: "operator" },
  ),
  deadline_exceeded: kind("unavailable", 503, "The time limit passed before an answer came.", { mendedBy: "time" }),
  conflict: kind("unavailable", 503, "Somebody else changed the same secret again and again. Try again.", {
    mendedBy: "time",
  }),
  canceled: kind("canceled", 503, "The caller gave up."),
  invalid_config: kind(
    "invalid_argument",
    400,
    "A configuration key or value is wrong; the message names it and the nearest known one.",
    { mendedBy: "operator", exit: 2 },
  ),
  listen_failed: kind(
    "failed_precondition",
    400,
    "The server cannot have the address it should listen on; the message says why.",
    { mendedBy: "operator" },
  ),
  usage: kind("invalid_argument", 400, "A command was called with the wrong options.", { exit: 2 }),
  secret_not_readable: kind(
    "not_found",
    400,
    "A task asked for a secret that it was not given; the message names the request to add.",
  ),
  task_failed: kind(
    "failed_precondition",
    400,
    "A task of a local run failed in its own code or ended without a result; the message says where.",
  ),
  call_refused: kind(
    "failed_precondition",
    400,
    "A service refuses a call as things stand; its message says what to change.",
    { mendedBy: "operator" },
  ),
  namespace_not_writable: kind(
    "failed_precondition",
    400,
    "The webhook may not write Secrets to the pod's namespace; the message has the command that grants it.",
    { mendedBy: "operator" },
  ),
  too_many_secrets: kind(
    "unavailable",
    503,
    "A namespace has too many Secrets for a limit of the webhook or a quota of the cluster; the message names " +
      "it. Try again later.",
    { mendedBy: "time" },
  ),
  check_failed: kind(
    "failed_precondition",
    400,
    "`flyte-secrets doctor` found a problem; each has its remedy beside it.",
    { mendedBy: "operator" },
  ),
  unimplemented: kind("unimplemented", 400, "This server does not offer that call.", { mendedBy: "operator" }),
  internal: kind("internal", 500, "A fault of ours. The log has the rest under the correlation id in the message.", {
    mendedBy: "us",
  }),
} as const satisfies Record<string, ErrorKind>;

/** The code of a {@link SecretsError}: stable, safe to switch on. */
export type ErrorCode = keyof typeof ERROR_KINDS;

/**
 * The one error class. `message` is safe to show to a caller and never contains a value; `cause` is for the log only.
 */
export class SecretsError extends Error {
  override readonly name = "SecretsError";
  readonly code: ErrorCode;
  /** The message without the list of everything that was tried, for terminals, which show that list only on request. */
  readonly brief: string;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; brief?: string }) {
    super(message, options);
    this.code = code;
    this.brief = options?.brief ?? message;
  }

  /** How this error looks on each surface. */
  get kind(): ErrorKind {
    return ERROR_KINDS[this.code];
  }
}

/** Whether `error` is a {@link SecretsError}, optionally with one of the given codes. */
export function isSecretsError(error: unknown, ...codes: ErrorCode[]): error is SecretsError {
  return error instanceof SecretsError && (codes.length === 0 || codes.includes(error.code));
}
