import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import { createCertificate, createManualClock } from "@flyte-secrets/testkit";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, onTestFinished, test, vi } from "vitest";
import { createExecCredentials } from "./exec-credentials.ts";
import { kubeconfigSchema } from "./kubeconfig-schema.ts";

const V1 = "client.authentication.k8s.io/v1";

/** A plugin that is a shell script; it counts its runs in the file `runs`. */
function plugin(script: string, more: object = {}, headers: Record<string, string | string[]> = {}) {
  const directory = createTemporaryDirectory();
  writeFileSync(join(directory, "plugin"), `#!/bin/sh\necho run >> "${directory}/runs"\n${script}\n`, { mode: 0o755 });
  const clock = createManualClock();
  const { clusters, users } = kubeconfigSchema.parse({
    clusters: [
      {
        name: "c",
        cluster: {
          server: "https://api:6443",
          "certificate-authority": "ca.pem",
          "certificate-authority-data": "Y2E=",
          extensions: [{ name: "client.authentication.k8s.io/exec", extension: { audience: "x" } }],
        },
      },
    ],
    users: [{ name: "u", user: { exec: { apiVersion: V1, command: "./plugin", ...more } } }],
  });
  const [cluster, exec] = [clusters[0]?.[1], users[0]?.[1].exec];
  if (!cluster || !exec) throw new Error("not read");
  const credentials = createExecCredentials({
    exec: { value: exec, directory },
    cluster,
    env: { PATH: process.env.PATH, FROM_OUTSIDE: "outside", FLYTE_SECRETS_MASTER_KEY: "key", FLYTE_SECRET_DB: "value" },
    clock,
    headers,
  });
  onTestFinished(() => credentials.close());
  const runs = () => readFileSync(join(directory, "runs"), "utf8").split("\n").length - 1;
  return { credentials, clock, runs, directory };
}

const credential = (status: object) => JSON.stringify({ apiVersion: V1, kind: "ExecCredential", status });
const printing = (status: object) => `cat <<'END'\n${credential(status)}\nEND`;
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
/** Prints a token with the number of the run, once the file `go` is there. */
const waiting = (expirationTimestamp: string) =>
  `here=$(dirname "$0"); while [ ! -e "$here/go" ]; do sleep 0.02; done\n` +
  `echo '${credential({ token: "NUMBER", expirationTimestamp })}' | sed "s/NUMBER/t$(wc -l < "$here/runs" | tr -d ' ')/"`;

test("what a plugin prints is kept until shortly before it ends", async () => {
  const { credentials, clock, runs } = plugin(printing({ token: "t", expirationTimestamp: inMs(60_000) }));
  const identity = { headers: { authorization: "Bearer t" } };
  expect(await Promise.all([credentials.current(), credentials.current()])).toEqual([identity, identity]);
  await clock.advance(45_000);
  await credentials.current();
  expect(runs()).toBe(1);
  await clock.advance(6000);
  await credentials.current();
  expect(runs()).toBe(2);
});

test("one program at a time renews what has ended, however many calls come meanwhile", async () => {
  const { credentials, clock, runs, directory } = plugin(waiting(inMs(60_000)));
  writeFileSync(join(directory, "go"), "");
  await credentials.current();
  await clock.advance(55_000);
  const calls = Array.from({ length: 20 }, async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return credentials.current();
  });
  expect(new Set((await Promise.all(calls)).map(({ headers }) => headers.authorization))).toEqual(
    new Set(["Bearer t2"]),
  );
  expect(runs()).toBe(2);
});

test("what does not say when it ends is kept until it is refused", async () => {
  const { cert, key } = await createCertificate();
  const { credentials, clock, runs } = plugin(printing({ clientCertificateData: cert, clientKeyData: key }));
  const identity = await credentials.current();
  expect(identity).toEqual({ headers: {}, cert, key });
  await clock.advance(1_000_000);
  await credentials.current();
  expect(runs()).toBe(1);
  credentials.renew(identity);
  await credentials.current();
  expect(runs()).toBe(2);
});

test("a refusal of what has been renewed meanwhile starts no other program", async () => {
  const { credentials, runs } = plugin(printing({ token: "t" }));
  const old = await credentials.current();
  for (let call = 0; call < 3; call++) expect(credentials.renew(old)).toBe(true);
  const renewed = await credentials.current();
  // Calls that were sent with the old one, and hear of it only now.
  for (let call = 0; call < 3; call++) {
    credentials.renew(old);
    expect(await credentials.current()).toBe(renewed);
  }
  expect(runs()).toBe(2);
});

test("for whom the user stands is sent with what the plugin gives", async () => {
  const headers = { "impersonate-user": "deployer", "impersonate-group": ["team-a"] };
  const { credentials } = plugin(printing({ token: "tok" }), {}, headers);
  expect(await credentials.current()).toEqual({ headers: { ...headers, authorization: "Bearer tok" } });
});

test("a plugin gets its arguments, its variables and, if it asks, the cluster", async () => {
  const script = (directory: string) =>
    `printf '%s\\n' "$1" "$FROM_OUTSIDE" "$OWN" "$KUBERNETES_EXEC_INFO" > "${directory}/got"`;
  const run = async (more: object) => {
    const { credentials, directory } = plugin("", more);
    writeFileSync(join(directory, "plugin"), `#!/bin/sh\n${script(directory)}\n${printing({ token: "t" })}\n`);
    await credentials.current();
    const [argument, outside, own, info = ""] = readFileSync(join(directory, "got"), "utf8").split("\n");
    return { argument, outside, own, info: JSON.parse(info) };
  };
  const rest = { apiVersion: V1, kind: "ExecCredential" };
  expect(await run({ args: ["a b"], env: [{ name: "OWN", value: "mine" }] })).toEqual({
    argument: "a b",
    outside: "outside",
    own: "mine",
    info: { ...rest, spec: { interactive: false } },
  });
  const cluster = { server: "https://api:6443", "certificate-authority-data": "Y2E=", config: { audience: "x" } };
  expect((await run({ provideClusterInfo: true })).info).toEqual({ ...rest, spec: { interactive: false, cluster } });
});

test("a plugin that asks finds standard input at its end", async () => {
  const { credentials } = plugin(`printf 'MFA code: ' >&2; read code || exit 7; ${printing({ token: "t" })}`);
  await expect(credentials.current()).rejects.toThrow("credential plugin ./plugin failed (7)");
});

test.each([
  ["fails", "echo canary-3 >&2; exit 3", "failed (3). Run it by hand to see why. Install it."],
  ["is killed", "kill -9 $$", "failed (SIGKILL). Run it by hand to see why. Install it."],
  ["prints no JSON", "echo canary-3", "printed no JSON."],
  ["prints something else", `echo '{"kind":"x"}'`, "printed no ExecCredential with a status."],
  ["gives nothing", printing({ token: "" }), "gave neither a token nor a certificate with its key."],
  [
    "gives only a key",
    printing({ token: "t", clientKeyData: "canary-3" }),
    "gave only one of a certificate and its key.",
  ],
  [
    "gives no PEM",
    printing({ clientCertificateData: "canary-3", clientKeyData: "canary-3" }),
    "gave no certificate with its key in PEM.",
  ],
  [
    "says no time",
    printing({ token: "canary-3", expirationTimestamp: "soon" }),
    "printed no ExecCredential with a status.",
  ],
  [
    "answers in another version",
    `echo '{"apiVersion":"canary-3","kind":"ExecCredential","status":{"token":"t"}}'`,
    `is to answer in ${V1}, as the kubeconfig says, and answers in another version.`,
  ],
  ["prints without end", "yes canary-3", "printed more than 1 MiB, which is no credential."],
])("a plugin that %s is an error without what it printed, and is run again next time", async (_, script, message) => {
  const { credentials, runs } = plugin(script, { installHint: "Install it." });
  const expected = { code: "credentials_refused", message: `The kubeconfig's credential plugin ./plugin ${message}` };
  await expect(credentials.current()).rejects.toMatchObject(expected);
  await expect(credentials.current()).rejects.toMatchObject(expected);
  expect(runs()).toBe(2);
});

test("a plugin that is not installed says so, with the kubeconfig's hint, cut and escaped", async () => {
  const { credentials } = plugin("", {
    command: "no-such-plugin",
    installHint: `Get it at example.com.\u001b[1m${"x".repeat(200)}`,
  });
  await expect(credentials.current()).rejects.toThrow(
    "The kubeconfig's credential plugin no-such-plugin was not found (ENOENT). Install it, or correct the kubeconfig's command. " +
      `Get it at example.com.\\u001b[1m${"x".repeat(94)}…`,
  );
});

test("a plugin that does not end is ended after a minute, and named", async () => {
  const { credentials, clock, directory } = plugin(`echo $$ > "$(dirname "$0")/pid"; exec sleep 600`);
  const call = credentials.current();
  const outcome = expect(call).rejects.toMatchObject({
    code: "credentials_refused",
    message:
      "The kubeconfig's credential plugin ./plugin did not end within 60 s. It gets no standard input; run it by hand to see what it waits for.",
  });
  const pid = await processId(directory);
  await clock.advance(60_000);
  await outcome;
  await vi.waitFor(() => expect(isRunning(pid)).toBe(false), 60_000);
});

test("a call whose time limit passes meanwhile names the plugin, which goes on for the next call", async () => {
  const { credentials, runs, directory } = plugin(waiting(inMs(60_000)));
  const late = new AbortController();
  const call = credentials.current(late.signal);
  const abandoned = new AbortController();
  const other = credentials.current(abandoned.signal);
  late.abort(new SecretsError("deadline_exceeded", "The API server did not answer."));
  abandoned.abort("no longer needed");
  await expect(call).rejects.toMatchObject({
    code: "deadline_exceeded",
    message: expect.stringMatching(
      /^The kubeconfig's credential plugin \.\/plugin has given no credential within the call's/,
    ),
  });
  await expect(other).rejects.toBe("no longer needed");
  writeFileSync(join(directory, "go"), "");
  expect(await credentials.current()).toEqual({ headers: { authorization: "Bearer t1" } });
  expect(runs()).toBe(1);
});

test("closing ends a running plugin", async () => {
  const { credentials, directory } = plugin(`echo $$ > "$(dirname "$0")/pid"; exec sleep 600`);
  const outcome = expect(credentials.current()).rejects.toMatchObject({ code: "canceled" });
  const pid = await processId(directory);
  credentials.close();
  await outcome;
  await vi.waitFor(() => expect(isRunning(pid)).toBe(false), 60_000);
});

test("a plugin is given the environment without our keys and secrets", async () => {
  const { credentials } = plugin(
    `printf '{"apiVersion":"${V1}","kind":"ExecCredential","status":{"token":"%s"}}' "$FROM_OUTSIDE-$FLYTE_SECRETS_MASTER_KEY-$FLYTE_SECRET_DB"`,
  );
  expect(await credentials.current()).toEqual({ headers: { authorization: "Bearer outside--" } });
});

async function processId(directory: string): Promise<number> {
  const file = join(directory, "pid");
  return await vi.waitFor(() => {
    const pid = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
    expect(pid).toBeGreaterThan(0);
    return pid;
  }, 60_000);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
