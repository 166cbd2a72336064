import { ERROR_KINDS, type ErrorKind } from "@flyte-secrets/core";

const HEAD = `# Errors

Everything that goes wrong on purpose is a \`SecretsError\` with one of these codes. Its message names the field, the rule and the
remedy, never a value; switch on the code, the message may change. Anything else that is thrown reaches a caller as \`internal\`
with a correlation id, and the log has the rest.

- **Connect**: the code on Connect, gRPC and gRPC-Web; REST and Connect answer with the HTTP status that
  [Connect's table](https://connectrpc.com/docs/protocol#error-codes) gives for it. Flyte's clients repeat a call that
  ends with \`unavailable\` or \`internal\`, up to three times, and log in at \`unauthenticated\`, \`permission_denied\` or \`unknown\`: the last two
  never occur, and when the caller's own time limit has passed, the code is \`deadline_exceeded\`.
- **Admission**: the status in the webhook's answer. 400 ends a Flyte task for good, 500 and 503 are tried again: that is for what time
  or we can mend, and for refused credentials, which may be renewed just then.
- **Mended by**: who can do something about it. The *author* of the call, the task or the command; the *operator* of what refuses it;
  *time*, that is, the same call may succeed later without anybody changing anything; *us*, a fault of this project.
- **Exit**: the exit code of \`flyte-secrets\`.
`;

/** `docs/errors.md`: the error table in the order of the source, one row a code. */
export function renderErrorsPage(): string {
  return [
    HEAD,
    "| code | Connect | admission | mended by | exit | what it means, what to do |",
    "| --- | --- | --- | --- | --- | --- |",
    ...Object.entries<ErrorKind>(ERROR_KINDS).map(
      ([code, kind]) =>
        `| \`${code}\` | \`${kind.connect}\` | ${kind.admission} | ${kind.mendedBy} | ${kind.exit} | ${kind.meaning} |`,
    ),
    "",
  ].join("\n");
}
