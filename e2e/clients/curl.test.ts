import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProgram } from "../support/run-program.ts";

const CANARY = "canary-curl-5b0f";

for (const auth of ["none", "token"] as const) {
  describe(`curl: plain${auth === "token" ? " with token" : ""}`, () => {
    let serve: ServeProcess;
    beforeAll(async () => {
      serve = await startServe({ args: ["--auth", auth] });
    });
    afterAll(async () => {
      expect(serve.output()).not.toContain(CANARY);
      expect(await serve.close()).toEqual({ exitCode: 0 });
    });

    async function curl(method: string, path: string, options: { body?: unknown; args?: string[] } = {}) {
      const args = [
        "--silent",
        "--show-error",
        "--request",
        method,
        "--write-out",
        "\n%{http_code}",
        ...(options.args ?? []),
      ];
      if (auth === "token") args.push("--header", `authorization: Bearer ${serve.token}`);
      if (options.body !== undefined) args.push("--header", "content-type: application/json", "--data-binary", "@-");
      const input = options.body === undefined ? "" : JSON.stringify(options.body);
      const { stdout, stderr } = await runProgram("curl", [...args, `${serve.endpoint}${path}`], { input });
      expect(stderr).toBe("");
      const split = stdout.lastIndexOf("\n");
      const text = stdout.slice(0, split);
      return { status: Number(stdout.slice(split + 1)), body: text.startsWith("{") ? JSON.parse(text) : text };
    }
    const rpc = (method: string, body: unknown, args: string[] = []) =>
      curl("POST", `/flyteidl2.secret.SecretService/${method}`, { body, args });

    it("creates, reads, lists, updates and deletes over Connect", async () => {
      const id = { name: "by-connect", domain: "development", project: "p" };
      expect(await rpc("CreateSecret", { id, secretSpec: { stringValue: CANARY } })).toEqual({ status: 200, body: {} });
      expect((await rpc("CreateSecret", { id, secretSpec: { stringValue: CANARY } })).status).toBe(409);
      const found = await rpc("GetSecret", { id });
      expect(found.status).toBe(200);
      expect(found.body.secret.id).toEqual({ ...id });
      expect(found.body.secret.secretMetadata.secretStatus.overallStatus).toBe("FULLY_PRESENT");
      expect((await rpc("UpdateSecret", { id, secretSpec: { binaryValue: btoa(CANARY) } })).status).toBe(200);
      const listed = await rpc("ListSecrets", { domain: "development", project: "p" });
      expect(listed.body.secrets.map((secret: { id: { name: string } }) => secret.id.name)).toEqual(["by-connect"]);
      expect((await rpc("DeleteSecret", { id })).status).toBe(200);
      expect(await rpc("GetSecret", { id })).toEqual({
        status: 404,
        body: { code: "not_found", message: "secret by-connect not found" },
      });
    });

    it("creates, reads, lists, updates and deletes over REST", async () => {
      const value = { secret_spec: { string_value: CANARY } };
      expect((await curl("POST", "/secrets/api/v1", { body: { id: { name: "by-rest" }, ...value } })).status).toBe(200);
      expect((await curl("PUT", "/secrets/api/v1/name/by-rest", { body: value })).status).toBe(200);
      expect((await curl("GET", "/secrets/api/v1/name/by-rest")).body.secret.id.name).toBe("by-rest");
      expect((await curl("GET", "/secrets/api/v1?limit=10")).body.secrets).toHaveLength(1);
      expect((await curl("DELETE", "/secrets/api/v1/name/by-rest")).status).toBe(200);
      expect(await curl("GET", "/secrets/api/v1/name/by-rest")).toEqual({
        status: 404,
        body: { code: "not_found", message: "secret by-rest not found" },
      });
    });

    it("answers over HTTP/2 with prior knowledge as over HTTP/1.1, and compresses when asked to", async () => {
      const args = ["--http2-prior-knowledge", "--compressed"];
      expect((await rpc("ListSecrets", {}, args)).status).toBe(200);
    });

    it("is alive and ready without credentials", async () => {
      const { stdout } = await runProgram("curl", ["--silent", `${serve.endpoint}/healthz`]);
      expect(stdout.trim()).toBe("OK");
      expect((await fetch(`${serve.endpoint}/readyz`)).status).toBe(200);
    });

    if (auth !== "token") return;
    it("refuses a missing and a wrong token, and takes it from proxy-authorization", async () => {
      const call = (headers: Record<string, string>) =>
        fetch(`${serve.endpoint}/flyteidl2.secret.SecretService/ListSecrets`, {
          method: "POST",
          headers: { "content-type": "application/json", ...headers },
          body: "{}",
        });
      expect((await call({})).status).toBe(401);
      expect((await call({ authorization: "Bearer wrong" })).status).toBe(401);
      const { stdout } = await runProgram("curl", [
        "--silent",
        "--output",
        "/dev/null",
        "--write-out",
        "%{http_code}",
        "--header",
        `proxy-authorization: Bearer ${serve.token}`,
        `${serve.endpoint}/secrets/api/v1`,
      ]);
      expect(stdout).toBe("200");
    });
  });
}
