import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { writerGrantCommand } from "./writer-grant.ts";

/** What the shell would hand to kubectl. */
function applied(command: string) {
  return JSON.parse(execFileSync("sh", ["-c", command.replace("kubectl apply -f -", "cat")], { encoding: "utf8" }));
}

it("makes the Role and the RoleBinding of an account in a namespace", () => {
  const name = "flyte-secrets-webhook-writer";
  const account = "system:serviceaccount:flyte:flyte-secrets-webhook";
  const metadata = { name, namespace: "team-x-gpu" };
  expect(applied(writerGrantCommand({ namespace: "team-x-gpu", account }))).toEqual({
    apiVersion: "v1",
    kind: "List",
    items: [
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "Role",
        metadata,
        rules: [
          { apiGroups: [""], resources: ["secrets"], verbs: ["create", "get", "list", "watch", "patch", "delete"] },
          { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
        ],
      },
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "RoleBinding",
        metadata,
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
        subjects: [{ kind: "ServiceAccount", namespace: "flyte", name: "flyte-secrets-webhook" }],
      },
    ],
  });
});

it("names a user who is no service account, and stays one word of a shell whatever the names are", () => {
  const odd = "o'brien'; echo pwned; '";
  const { items } = applied(writerGrantCommand({ namespace: odd, account: odd }));
  expect(items[1]).toMatchObject({
    metadata: { namespace: odd },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: odd }],
  });
});
