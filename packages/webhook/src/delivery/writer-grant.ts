/** The account that gets the right to write Secrets for pods, and the namespace. */
export interface WriterGrant {
  readonly namespace: string;
  /** The account's name at the API server: `system:serviceaccount:NAMESPACE:NAME`, or a user's name. */
  readonly account: string;
}

/** The name of Role and RoleBinding; the chart uses it too, in a release of the same name. */
const NAME = "flyte-secrets-webhook-writer";

const RULES = [
  { apiGroups: [""], resources: ["secrets"], verbs: ["create", "get", "list", "watch", "patch", "delete"] },
  { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
];

/**
 * Returns the command that lets an account write the Secrets of pods in a namespace: Role and RoleBinding, in one line
 * for a POSIX shell.
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
