import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FLYTE_CLI, FLYTE_VERSION, flytePython, requireFlyte } from "../support/flyte-python.ts";
import { type FlyteServer, startFlyteServer } from "../support/flyte-server.ts";
import { type OidcIssuer, startOidcIssuer } from "../support/oidc-issuer.ts";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";

const CANARY = "canary-flyte-auth-61d2";

describeWith(requireFlyte(), `flyte ${FLYTE_VERSION}, its command against serve --auth oidc`, () => {
  let issuer: OidcIssuer;
  let server: FlyteServer;
  beforeAll(async () => {
    issuer = await startOidcIssuer();
    server = await startFlyteServer(issuer);
  });
  afterAll(async () => {
    expect(server.serve.output()).not.toContain(CANARY);
    expect(await server.close()).toEqual({ exitCode: 0 });
    await issuer.close();
  });

  const env = () => ({ HOME: server.home, COLUMNS: "250", NO_COLOR: "1", TERM: "dumb" });
  const run = (...args: string[]) => runProgram(flytePython, [FLYTE_CLI, ...args], { env: env(), cwd: server.home });
  const create = (name: string) => run("create", "secret", name, "--value", CANARY);

  function useToken(token: string): void {
    const file = join(server.home, "token");
    writeFileSync(file, token, { mode: 0o600 });
    server.configure({ authType: "ExternalCommand", command: ["cat", file] });
  }

  function useClientSecret(secret: string): void {
    const file = join(server.home, "client-secret");
    writeFileSync(file, secret, { mode: 0o600 });
    server.configure({
      authType: "ClientSecret",
      clientId: issuer.machine.clientId,
      clientSecretLocation: file,
    });
  }

  it("ExternalCommand: the token that the command prints lets it in", async () => {
    useToken(await issuer.requestToken());
    expect(await create("by-command")).toMatchObject({ exitCode: 0 });
  });

  it("ExternalCommand: what is no token of the issuer fails, and says why", async () => {
    useToken("made-up-by-somebody");
    const refused = await create("refused");
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout + refused.stderr).toContain("the token is no signed JWT");
  });

  it("ClientSecret: it gets a token where we say, with the scopes we say", async () => {
    useClientSecret(issuer.machine.clientSecret);
    expect(await create("by-client-secret")).toMatchObject({ exitCode: 0 });
    const listed = await run("-of", "json-raw", "get", "secret");
    expect(listed, listed.stderr).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(listed.stdout).map((secret: { id: { name: string } }) => secret.id.name)).toEqual([
      "by-client-secret",
      "by-command",
    ]);
  });

  it("ClientSecret: the SDK does all that it does with a token of ours", async () => {
    useClientSecret(issuer.machine.clientSecret);
    const script = join(import.meta.dirname, "flyte_sdk.py");
    const result = await runProgram(flytePython, [script, server.configFile, CANARY], { env: env(), cwd: server.home });
    expect(result).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(result.stdout)).toMatchObject({ one: { name: "text" }, duplicate: { code: "already_exists" } });
  });

  it("ClientSecret: a wrong secret fails at the issuer", async () => {
    useClientSecret("another");
    const refused = await create("refused");
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout + refused.stderr).toContain("invalid_client");
  });

  it("DeviceFlow: it shows where to sign in, and goes on once somebody has", async () => {
    server.configure({ authType: "DeviceFlow" });
    const child = spawn(flytePython, [FLYTE_CLI, "create", "secret", "by-device", "--value", CANARY], {
      cwd: server.home,
      env: { ...env(), PATH: process.env.PATH ?? "" },
    });
    const ended = once(child, "close");
    let output = "";
    const address = await new Promise<string>((resolve, reject) => {
      const read = (chunk: Buffer) => {
        output += chunk;
        const found = /https?:\/\/\S+\/device\?user_code=[\w-]+/.exec(output)?.[0];
        if (found !== undefined) resolve(found);
      };
      child.stdout.on("data", read);
      child.stderr.on("data", read);
      child.once("close", () => reject(new Error(`it ended without an address:\n${output}`)));
    });
    await issuer.approve(address);
    const [exitCode] = await ended;
    expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
    useClientSecret(issuer.machine.clientSecret);
    expect(await run("get", "secret", "by-device")).toMatchObject({ exitCode: 0 });
  });
});
