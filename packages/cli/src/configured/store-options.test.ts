import { SecretValue } from "@flyte-secrets/core";
import { expect, test } from "vitest";
import { configOf } from "../testing/config-of.ts";
import { toStoreOptions } from "./store-options.ts";

test("a store on this machine: its directory, the name of its cluster, and a key that was given", () => {
  const config = configOf({ "secret.store.path": "/data", "secret.kubernetes.clusterName": "edge" });
  expect(toStoreOptions(config)).toEqual({ type: "Embedded", directory: "/data", clusterName: "edge" });
  const store = { ...config.secret.store, masterKey: SecretValue.fromBytes(new Uint8Array(32)) };
  expect(toStoreOptions({ secret: { ...config.secret, store } })).toMatchObject({ masterKey: new Uint8Array(32) });
});

test("a store in clusters: its own cluster first, and the calls that each may get", () => {
  const config = configOf({
    "secret.store.type": "Kubernetes",
    "secret.kubernetes.clusterName": "own",
    "secret.kubernetes.kubeconfig": "/etc/own",
    "secret.kubernetes.otherClusters": "{east: /etc/east, west: /etc/west}",
    "secret.kubernetes.namespace": "values",
    "secret.kubernetes.formerNamespace": "before",
    "secret.kubernetes.consistency": "strong",
    "secret.kubernetes.qps": "7",
    "secret.kubernetes.burst": "8",
    "secret.kubernetes.timeout": "9s",
    "secret.imagePullNamespace": "pulls",
  });
  expect(toStoreOptions(config)).toEqual({
    type: "Kubernetes",
    clusters: [
      { name: "own", kubeconfig: "/etc/own" },
      { name: "east", kubeconfig: "/etc/east" },
      { name: "west", kubeconfig: "/etc/west" },
    ],
    namespace: "values",
    formerNamespace: "before",
    imagePullNamespace: "pulls",
    consistency: "strong",
    qps: 7,
    burst: 8,
    timeoutMs: 9_000,
  });
});
