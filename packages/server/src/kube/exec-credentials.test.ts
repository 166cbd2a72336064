import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, test } from "vitest";
import { createManualClock } from "../testing/manual-clock.ts";
import { createExecCredentials } from "./exec-credentials.ts";
import type { KubeconfigExec } from "./kubeconfig.ts";

const CLUSTER = {
  server: "https://api:6443",
  "certificate-authority": "ca.pem",
  "certificate-authority-data": "Y2E=",
  extensions: [{ name: "client.authentication.k8s.io/exec", extension: { audience: "x" } }],
};

/** A plugin that is a shell script; it counts its runs in the file `runs`. */
function plugin(script: string, more: Partial<KubeconfigExec> = {}) {
  const directory = createTemporaryDirectory();
  writeFileSync(join(directory, "plugin"), `#!/bin/sh\necho run >> "${directory}/runs"\n${script}\n`, { mode: 0o755 });
  const clock = createManualClock();
  const apiVersion = "client.authentication.k8s.io/v1";
  const credentials = createExecCredentials({
    exec: { value: { apiVersion, command: "./plugin", ...more }, directory },
    cluster: CLUSTER,
    env: { PATH: process.env.PATH, FROM_OUTSIDE: "outside", FLYTE_SECRETS_MASTER_KEY: "key", FLYTE_SECRET_DB: "value" },
    clock,
  });
  const runs = () => readFileSync(join(directory, "runs"), "utf8").split("\n").length - 1;
  return { credentials, clock, runs, directory };
}

const printing = (status: object) => `cat <<'END'\n${JSON.stringify({ kind: "ExecCredential", status })}\nEND`;

test("what a plugin prints is kept until shortly before it ends", async () => {
  const started = Date.now();
  const { credentials, clock, runs } = plugin(
    printing({ token: "t", expirationTimestamp: new Date(started + 60_000).toISOString() }),
  );
  expect(await Promise.all([credentials.current(), credentials.current()])).toEqual([
    { headers: { authorization: "Bearer t" } },
    { headers: { authorization: "Bearer t" } },
  ]);
  await clock.advance(45_000);
  await credentials.current();
  expect(runs()).toBe(1);
  await clock.advance(6000);
  await credentials.current();
  expect(runs()).toBe(2);
});

test("what does not say when it ends is kept until it is refused", async () => {
  const { credentials, clock, runs } = plugin(printing({ clientCertificateData: "cert", clientKeyData: "key" }));
  expect(await credentials.current()).toEqual({ headers: {}, cert: "cert", key: "key" });
  await clock.advance(1_000_000);
  await credentials.current();
  expect(runs()).toBe(1);
  credentials.renew();
  await credentials.current();
  expect(runs()).toBe(2);
});

test("a plugin gets its arguments, its variables and, if it asks, the cluster", async () => {
  const script = (directory: string) =>
    `printf '%s\\n' "$1" "$FROM_OUTSIDE" "$OWN" "$KUBERNETES_EXEC_INFO" > "${directory}/got"`;
  const run = async (more: Partial<KubeconfigExec>) => {
    const { credentials, directory } = plugin("", more);
    writeFileSync(join(directory, "plugin"), `#!/bin/sh\n${script(directory)}\n${printing({ token: "t" })}\n`);
    await credentials.current();
    const [argument, outside, own, info = ""] = readFileSync(join(directory, "got"), "utf8").split("\n");
    return { argument, outside, own, info: JSON.parse(info) };
  };
  const rest = { apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential" };
  expect(await run({ args: ["a b"], env: [{ name: "OWN", value: "mine" }] })).toEqual({
    argument: "a b",
    outside: "outside",
    own: "mine",
    info: { ...rest, spec: { interactive: false } },
  });
  const cluster = { server: "https://api:6443", "certificate-authority-data": "Y2E=", config: { audience: "x" } };
  expect((await run({ provideClusterInfo: true })).info).toEqual({ ...rest, spec: { interactive: false, cluster } });
});

test.each([
  ["fails", "echo canary-3 >&2; exit 3", "./plugin failed (3). Run it by hand to see why. Install it."],
  ["prints no JSON", "echo canary-3", "./plugin printed no JSON."],
  ["prints something else", `echo '{"kind":"x"}'`, "./plugin printed no ExecCredential with a status."],
  ["gives nothing", printing({ token: "" }), "./plugin gave neither a token nor a certificate with its key."],
])("a plugin that %s is an error without what it printed, and is run again next time", async (_, script, message) => {
  const { credentials, runs } = plugin(script, { installHint: "Install it." });
  const expected = { code: "credentials_refused", message: `The kubeconfig's credential plugin ${message}` };
  await expect(credentials.current()).rejects.toMatchObject(expected);
  await expect(credentials.current()).rejects.toMatchObject(expected);
  expect(runs()).toBe(2);
});

test("a plugin that is not installed says so", async () => {
  const { credentials } = plugin("", { command: "no-such-plugin", installHint: "Get it at example.com." });
  await expect(credentials.current()).rejects.toThrow(
    "The kubeconfig's credential plugin no-such-plugin failed (ENOENT). Run it by hand to see why. Get it at example.com.",
  );
});

test("a plugin is given the environment without our keys and secrets", async () => {
  const { credentials } = plugin(
    `printf '{"status":{"token":"%s"}}' "$FROM_OUTSIDE-$FLYTE_SECRETS_MASTER_KEY-$FLYTE_SECRET_DB"`,
  );
  expect(await credentials.current()).toEqual({ headers: { authorization: "Bearer outside--" } });
});
