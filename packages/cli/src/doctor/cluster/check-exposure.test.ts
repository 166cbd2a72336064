import { loadConfig } from "@flyte-secrets/config";
import { expect, it } from "vitest";
import { COMPONENTS } from "../finding.ts";
import { checkExposure } from "./check-exposure.ts";

const check = (flags: Record<string, string>, components = COMPONENTS.slice()) => {
  const config = loadConfig({ files: [], defaultFiles: [], env: {}, flags, home: "/nowhere", cwd: "/" });
  return checkExposure(components, config);
};

const CLOSED = {
  "secret.store.type": "Kubernetes",
  "secret.server.tls.certFile": "/tls.crt",
  "secret.server.tls.keyFile": "/tls.key",
  "secret.server.metricsBindAddress": ":8095",
  "webhook.cacheInvalidationTokenSecret": "token",
};

const METRICS = {
  state: "note",
  what:
    "/metrics of the service asks for the credentials of its callers, so whoever scrapes it can delete secrets; " +
    "secret.server.metricsBindAddress gives it a port of its own that needs none",
};

it("finds nothing where all is closed", () => {
  expect(check(CLOSED)).toEqual([]);
});

it("tells of an installation from before what is open, and what to set", () => {
  const open = {
    "secret.store.type": "Kubernetes",
    "secret.auth.mode": "none",
    "webhook.embeddedSecretManagerConfig.delivery": "Inline",
  };
  expect(check(open)).toEqual([
    {
      state: "problem",
      what: "the service asks nobody for credentials (secret.auth.mode none): who reaches it reads names and writes values",
      remedy: "set secret.auth.mode to token or oidc",
    },
    {
      state: "note",
      what:
        "the service speaks plain HTTP: tokens and values cross the cluster's network in clear; set secret.server.tls, or end TLS in " +
        "front of it",
    },
    METRICS,
    {
      state: "note",
      what:
        "/invalidate-secret has no token, so it answers its own machine and webhook.cacheInvalidationPeers alone; set " +
        "webhook.cacheInvalidationTokenSecret, or webhook.cacheInvalidationPort to 0",
    },
    {
      state: "problem",
      what: "delivery Inline answers reviews with values and asks for no certificate: who reaches webhook.listenPort reads every secret",
      remedy: "set webhook.embeddedSecretManagerConfig.delivery to SecretRef, or webhook.clientCA",
    },
  ]);
});

it("with one component reports only what concerns that component", () => {
  expect(check({ ...CLOSED, "secret.auth.mode": "none" }, ["webhook"])).toEqual([]);
  expect(check({ ...CLOSED, "webhook.embeddedSecretManagerConfig.delivery": "Inline" }, ["service"])).toEqual([]);
});
