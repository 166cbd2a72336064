import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failsInFlyte } from "../support/fails-in-flyte.ts";
import { type FlyteCommand, flyteCommand } from "../support/flyte-command.ts";
import { FLYTE_CLI, FLYTE_VERSION, flytePythonOf, requireFlyte } from "../support/flyte-python.ts";
import { type FlyteServer, startFlyteServer } from "../support/flyte-server.ts";
import { type OidcIssuer, startOidcIssuer } from "../support/oidc-issuer.ts";
import { describeWith } from "../support/requirement.ts";
import { signIn } from "../support/sign-in.ts";

const CANARY = "canary-flyte-auth-61d2";
const BROWSER = join(import.meta.dirname, "../support/browser-program.ts");

describe("the embedded store", () => {
  describeWith(requireFlyte(), `flyte ${FLYTE_VERSION}, its command: TLS with an issuer`, () => {
    let issuer: OidcIssuer;
    let server: FlyteServer;
    let flyte: FlyteCommand;
    beforeAll(async () => {
      issuer = await startOidcIssuer();
      server = await startFlyteServer(issuer);
      // The background, since Flyte's client waits for its browser before it listens to it.
      flyte = flyteCommand(FLYTE_VERSION, server, { BROWSER: `${process.execPath} ${BROWSER} %s &` });
    });
    afterAll(async () => {
      expect(server.serve.output()).not.toContain(CANARY);
      expect(await server.close()).toEqual({ exitCode: 0 });
      await issuer.close();
    });

    const create = (name: string) => flyte.run("create", "secret", name, "--value", CANARY);

    function useToken(token: string): void {
      const file = join(server.home, "token");
      writeFileSync(file, token, { mode: 0o600 });
      server.configure({ authType: "ExternalCommand", command: ["cat", file] });
    }

    function useClientSecret(secret: string): void {
      const file = join(server.home, "client-secret");
      writeFileSync(file, secret, { mode: 0o600 });
      const { clientId } = issuer.machine;
      server.configure({ authType: "ClientSecret", clientId, clientSecretLocation: file });
    }

    it("ExternalCommand: the token that the command prints lets it in", async () => {
      useToken(await issuer.requestToken());
      expect(await create("by-command")).toMatchObject({ exitCode: 0 });
    });

    it("ExternalCommand: what is no token of the issuer fails, and says why", async () => {
      useToken("made-up-by-somebody");
      const refused = await create("refused");
      expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("the token is no signed JWT") });
    });

    it("ClientSecret: it gets a token where we say, with the scopes we say", async () => {
      useClientSecret(issuer.machine.clientSecret);
      expect(await create("by-client-secret")).toMatchObject({ exitCode: 0 });
      expect(await flyte.list()).toEqual(["//by-client-secret", "//by-command"]);
    });

    it("ClientSecret: a wrong secret fails at the issuer", async () => {
      useClientSecret("another");
      const refused = await create("refused");
      expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("invalid_client") });
    });

    it("Pkce: it opens the user's browser at the issuer, and goes on once somebody has signed in", async () => {
      server.configure({ authType: "Pkce" });
      const created = await create("by-browser");
      expect(created, created.stderr).toMatchObject({ exitCode: 0 });
      useToken(await issuer.requestToken());
      expect(await flyte.get("by-browser")).toMatchObject({ id: { name: "by-browser" } });
    });

    it("DeviceFlow: it shows where to sign in, and goes on once somebody has", async () => {
      server.configure({ authType: "DeviceFlow" });
      const child = spawn(
        flytePythonOf(FLYTE_VERSION),
        [FLYTE_CLI, "create", "secret", "by-device", "--value", CANARY],
        {
          cwd: server.home,
          env: { HOME: server.home, COLUMNS: "250", NO_COLOR: "1", TERM: "dumb", PATH: process.env.PATH ?? "" },
        },
      );
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
      expect(await signIn(address)).toContain("Sign-in Success");
      const [exitCode] = await ended;
      expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
      useToken(await issuer.requestToken());
      expect(await flyte.get("by-device")).toMatchObject({ id: { name: "by-device" } });
    });
  });

  describeWith(requireFlyte(), `flyte ${FLYTE_VERSION}, its command: plain with token`, () => {
    let server: FlyteServer;
    let flyte: FlyteCommand;
    beforeAll(async () => {
      server = await startFlyteServer("plain with token");
      flyte = flyteCommand(FLYTE_VERSION, server);
    });
    afterAll(async () => {
      expect(await server.close()).toEqual({ exitCode: 0 });
    });
    const printToken = () => ["cat", join(server.serve.directory, "store/token")];

    it("ExternalCommand: is refused", async ({ task }) => {
      failsInFlyte(task, "it sends no credentials over plain HTTP, whatever `admin.authType` says");
      server.configure({ authType: "ExternalCommand", command: printToken() });
      const refused = await flyte.run("get", "secret");
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toContain("no token was sent");
    });

    it("admin.proxyCommand: ends before anything is sent", async ({ task }) => {
      failsInFlyte(task, "it gives its own constructor an argument twice, a `TypeError`");
      server.configure({ proxyCommand: printToken() });
      const failed = await flyte.run("get", "secret");
      expect(failed.exitCode).toBe(1);
      expect(failed.stderr).toContain("got multiple values for keyword argument");
    });
  });
});
