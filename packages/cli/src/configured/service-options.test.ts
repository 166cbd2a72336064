import { expect, test } from "vitest";
import { configOf } from "../testing/config-of.ts";
import { toServiceOptions } from "./service-options.ts";

const token = () => "a token";

test("the settings of secret.server, with the names that the service may be called by", () => {
  const config = configOf({
    "secret.organization": "acme",
    "secret.webhookURL": "http://webhook",
    "secret.server.host": "192.0.2.1",
    "secret.server.port": "9000",
    "secret.server.allowedHosts": "a.example,b.example",
    "secret.server.probeBindAddress": ":8081",
    "secret.server.metricsBindAddress": ":8082",
    "secret.server.limits.connections": "10",
    "secret.server.limits.connectionsPerAddress": "5",
    "secret.server.limits.bodyBytes": "1M",
    "secret.server.limits.requests": "7",
    "secret.auth.allowUnauthenticatedNetwork": "true",
  });
  expect(toServiceOptions(config, { token, webhookToken: "another" })).toEqual({
    organization: "acme",
    auth: { mode: "token", token },
    webhookURL: "http://webhook",
    webhookToken: "another",
    allowedHosts: ["192.0.2.1", "a.example", "b.example"],
    maxBodyBytes: config.secret.server.limits.bodyBytes,
    maxRequests: 7,
    allowUnauthenticatedNetwork: true,
    listener: {
      host: "192.0.2.1",
      port: 9000,
      maxConnections: 10,
      maxConnectionsPerAddress: 5,
      probeAddress: ":8081",
      metricsAddress: ":8082",
    },
  });
});

test("who may call: anyone, or who has a token of an issuer", () => {
  const authOf = (flags: Record<string, string>) =>
    toServiceOptions(configOf(flags), { token, webhookToken: undefined }).auth;
  expect(authOf({ "secret.auth.mode": "none" })).toEqual({ mode: "none" });
  const issuer = "https://id.example";
  const oidc = { issuer, audience: "secrets", clockSkew: "7s", clientId: "cli", redirectUri: "http://localhost:1/x" };
  const flags = Object.entries(oidc).map(([name, value]) => [`secret.auth.oidc.${name}`, value]);
  expect(authOf({ "secret.auth.mode": "oidc", ...Object.fromEntries(flags) })).toEqual({
    mode: "oidc",
    issuer,
    audience: "secrets",
    clockSkewMs: 7_000,
    clientId: "cli",
    redirectUri: "http://localhost:1/x",
    scopes: expect.any(Array),
  });
});
