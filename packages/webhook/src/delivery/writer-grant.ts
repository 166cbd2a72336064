/** Whom the right to write Secrets for pods is given to, and where. */
export interface WriterGrant {
  readonly namespace: string;
  /** As the API server calls it: `system:serviceaccount:NAMESPACE:NAME`, or a user's name. */
  readonly account: string;
}

/** What the chart calls Role and RoleBinding too, in a release of its own name. */
const NAME = "flyte-secrets-webhook-writer";

const RULES = [
  { apiGroups: [""], resources: ["secrets"], verbs: ["create", "get", "list", "watch", "patch", "delete"] },
  { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
];

/**
 * The command that lets an account write the Secrets of pods in a namespace: Role and RoleBinding, in one line for a
 * POSIX shell.
 */
export function writerGrantCommand({ namespace, account }: WriterGrant): string {
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const metadata = { name: NAME, namespace };
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: NAME };
  const items = [
    { apiVersion, kind: "Role", metadata, rules: RULES },
    { apiVersion, kind: "RoleBinding", metadata, roleRef, subjects: [subjectOf(account)] },
  ];
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  return `echo '${list.replaceAll("'", "'\\''")}' | kubectl apply -f -`;
}

function subjectOf(account: string): object {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(account) ?? [];
  return name === undefined
    ? { apiGroup: "rbac.authorization.k8s.io", kind: "User", name: account }
    : { kind: "ServiceAccount", namespace, name };
}
