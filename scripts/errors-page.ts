import { ERROR_KINDS, type ErrorKind } from "@flyte-secrets/core";

const HEAD = `# Errors

Every error that is raised on purpose is a \`SecretsError\` with one of these codes. Its message names the field, the rule
and the remedy, and never a value. Switch on the code; messages may change. Any other error reaches a caller as
\`internal\` with a correlation id, and the log has the details.

- **Connect**: the code on Connect, gRPC and gRPC-Web. REST and Connect answer with the HTTP status that
  [Connect's table](https://connectrpc.com/docs/protocol#error-codes) gives for it. Flyte's clients repeat a call that
  ends with \`unavailable\` or \`internal\`, up to three times, and open a login at \`unauthenticated\`, \`permission_denied\`
  or \`unknown\`; the last two never occur. After the caller's own time limit the code is \`deadline_exceeded\`.
- **Admission**: the status in the webhook's answer. 400 ends a Flyte task for good; after 500 and 503 Flyte tries again.
  These two are for faults that may pass or are ours, and for refused credentials, which may be in renewal.
- **Mended by**: who can fix it. The *author* of the call, the task or the command; the *operator* of the system that
  refuses; *time*: the same call may succeed later; *us*: it is a fault of this project.
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
