import assert from "node:assert/strict";
import { readKubeconfig } from "@flyte-secrets/kube/testing";
import { type FuzzTarget, textOf, unlessRefused } from "../target.ts";

const SEPARATOR = "\n===\n";

/** One kubeconfig file, or several. */
export const target: FuzzTarget = {
  seeds: [
    "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{name: k, cluster: {server: 'https://h:6443', certificate-authority-data: YQ==}}]\ncontexts: [{name: c, context: {cluster: k, user: u, namespace: n}}]\nusers: [{name: u, user: {token: t}}]\n",
    "current-context: c\nclusters: [{name: k, cluster: {server: h, extensions: [{name: e, extension: {a: 1}}]}}]\nusers:\n- name: u\n  user: {exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: x, args: [a], env: [{name: A, value: b}], provideClusterInfo: true}}\n===\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n",
    '{"current-context":"c","users":null,"clusters":[{"name":"k","cluster":{"server":"s"}}],"contexts":[{"name":"c","context":{"cluster":"k"}}]}',
  ],
  dictionary: [
    "current-context: ",
    "clusters:",
    "contexts:",
    "users:",
    "name: ",
    "exec:",
    "as: ",
    "as-user-extra: ",
    "&a",
    "*a",
    "<<: *a",
    "~",
    "__proto__",
    "!!binary",
    "token: ",
    "[]",
    SEPARATOR,
  ],
  maxBytes: 4_096,
  open: () => ({
    run(bytes) {
      const files = textOf(bytes)
        .split(SEPARATOR)
        .map((text, index) => ({ path: `/home/${index}/config`, text }));
      const context = unlessRefused(["invalid_config"], () => readKubeconfig(files));
      if (context) assert.equal(typeof context.cluster.value.server, "string");
    },
  }),
};
