import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { startServe } from "@flyte-secrets/testkit";
import { CONTROL_C } from "@flyte-secrets/testkit/terminal";
import { describe, expect, it } from "vitest";
import { admitPod, caOf } from "../testing/admit-pod.ts";
import { ask, taskPod } from "../testing/pod-manifests.ts";
import { runCli } from "../testing/run-cli.ts";
import { runOnTerminal } from "../testing/run-on-terminal.ts";
import { useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();

describe("serve", () => {
  it("tells where it listens and where the token is, not what it is, and stops in order at SIGTERM", async () => {
    const server = await startServe({ directory: at.home });
    const token = readFileSync(join(at.store, "token"), "utf8").trim();
    const { exitCode } = await server.close();
    expect(exitCode).toBe(0);
    expect(existsSync(join(at.store, "server.json"))).toBe(false);
    expect(server.output()).toContain(
      `Listening on ${server.endpoint}\nData in      ${at.store}\nSocket       ${at.store}/server.sock\n` +
        "This user's flyte-secrets commands and SDK find it by themselves and need no token.\n" +
        `Token in     ${at.store}/token\n`,
    );
    expect(server.output()).not.toContain(token);
  });

  it("with --tls, makes what Flyte's clients need, and this user's commands find it by any of its names", async () => {
    const server = await startServe({ directory: at.home, args: ["--tls"] });
    expect(server.output()).toContain(`\nFlyte's CLI  flyte --config ${at.store}/flyte.yaml create secret my-secret\n`);
    for (const endpoint of [server.endpoint, server.endpoint.replace("127.0.0.1", "localhost")]) {
      expect(await at.call("get", "secret", "--endpoint", endpoint)).toMatchObject({
        exitCode: 0,
        stderr: "no secrets\n",
      });
    }
    expect(await at.call("get", "secret", "-c", "store/flyte.yaml")).toMatchObject({
      exitCode: 0,
      stderr: "no secrets\n",
    });
    expect((await server.close()).exitCode).toBe(0);
    const plain = await startServe({ directory: at.home });
    await plain.close();
    expect(plain.output()).toContain(
      "removed: Flyte's clients can't reach this server; serve --tls writes the file again",
    );
  });

  it("runs the webhook beside the service where that is configured, and sees what the service writes", {
    timeout: 120_000,
  }, async () => {
    const setting = (path: string, value: string) => [`--${path}`, value];
    const args = [
      ...setting("webhook.enabled", "true"),
      ...setting("webhook.scopeBinding.domains", "dev"),
      ...setting("webhook.listenPort", "0"),
      ...setting("webhook.cacheInvalidationPort", "0"),
      ...setting("secret.webhookURL", ""),
      ...setting("webhook.embeddedSecretManagerConfig.delivery", "Inline"),
      ...setting("executor.healthProbeBindAddress", "127.0.0.1:0"),
      ...setting("executor.metricsBindAddress", ""),
    ];
    const server = await startServe({ directory: at.home, args });
    const port = Number(/^Webhook on {3}port (\d+)$/m.exec(server.output())?.[1]);
    const admit = () => admitPod(port, { object: taskPod([ask("api-key")]), caFile: caOf(at.store) });
    expect(await admit()).toMatchObject({ allowed: false, status: { code: 400 } });
    // At once: the store's change feed alone would take a moment.
    const headers = { authorization: `Bearer ${server.token}`, "content-type": "application/json" };
    const id = { name: "api-key", project: "shop", domain: "dev" };
    for (let round = 0; round < 20; round++) {
      const value = `value ${round}`;
      const [method, path] = round === 0 ? ["POST", ""] : ["PUT", "/name/api-key"];
      const body = JSON.stringify({ id, secretSpec: { stringValue: value } });
      await fetch(`${server.endpoint}/secrets/api/v1${path}`, { method, headers, body });
      const { patch = "" } = await admit();
      expect(Buffer.from(patch, "base64").toString()).toContain(JSON.stringify(value));
    }
    expect((await server.close()).exitCode).toBe(0);
  });

  it("stops in order at Ctrl-C, and at once at the second one", async () => {
    const { exitCode, screen } = await runOnTerminal({ args: ["serve", "--port", "0"], env: at.env }, [
      { after: "Stop: Ctrl-C", type: CONTROL_C },
    ]);
    expect([exitCode, existsSync(join(at.store, "server.json"))]).toEqual([0, false]);
    expect(screen).toContain("Listening on http://127.0.0.1:");

    const server = await startServe({ directory: at.home });
    // A request that never ends holds up the orderly stop.
    const socket = connect(server.port, "127.0.0.1").on("error", () => {});
    const head = [
      "host: x",
      `authorization: Bearer ${server.token}`,
      "content-type: application/json",
      "content-length: 9",
      "expect: 100-continue",
    ];
    socket.write(`POST /flyteidl2.secret.SecretService/ListSecrets HTTP/1.1\r\n${head.join("\r\n")}\r\n\r\n{`);
    // The server's "100 Continue" shows that it has begun with the request.
    await once(socket, "data");
    server.process.kill("SIGINT");
    await until(() => isRefused(server.port));
    const ended = once(server.process, "exit");
    server.process.kill("SIGINT");
    expect(await ended).toEqual([130, null]);
    socket.destroy();
  });

  it("stops in an orderly way when its terminal is closed", async () => {
    const server = await startServe({ directory: at.home });
    const ended = once(server.process, "exit");
    server.process.kill("SIGHUP");
    expect([await ended, existsSync(join(at.store, "server.json"))]).toEqual([[0, null], false]);
  });

  it("refuses a listener beyond loopback without authentication, and a mistyped setting, by name", async () => {
    const refused = await runCli({
      args: ["serve", "--host", "0.0.0.0", "--port", "0", "--auth", "none"],
      env: at.env,
    });
    expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
    expect(refused.stderr).toMatch(/^error: secret\.auth\.mode none on 0\.0\.0\.0 .*\n$/);
    mkdirSync(join(at.home, "config"));
    writeFileSync(join(at.home, "config/a.yaml"), "secret: { server: { prot: 1 } }\n");
    const mistyped = await at.call("serve", "-c", "config/*.yaml");
    expect(mistyped).toMatchObject({ exitCode: 2, stdout: "" });
    expect(mistyped.stderr).toMatch(/^error: .*a\.yaml.*secret\.server\.prot.*secret\.server\.port.*\n$/);
  });
});

function isRefused(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1");
  socket.once("connect", () => resolve(false)).once("error", () => resolve(true));
  return promise.finally(() => socket.destroy());
}

async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check()));
}
