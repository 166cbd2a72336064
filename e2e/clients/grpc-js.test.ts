import { createRequire } from "node:module";
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { SecretService } from "@flyte-secrets/idl";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const CANARY = "canary-grpc-91c4";
const { version: VERSION } = createRequire(import.meta.url)("@grpc/grpc-js/package.json");

for (const auth of ["none", "token"] as const) {
  describe(`@grpc/grpc-js ${VERSION}: plain${auth === "token" ? " with token" : ""}`, () => {
    let serve: ServeProcess;
    let client: Client;
    beforeAll(async () => {
      serve = await startServe({ args: ["--auth", auth] });
      client = new Client(`127.0.0.1:${serve.port}`, credentials.createInsecure());
    });
    afterAll(async () => {
      client.close();
      expect(serve.output()).not.toContain(CANARY);
      expect(await serve.close()).toEqual({ exitCode: 0 });
    });

    function call<I extends DescMessage, O extends DescMessage>(
      method: DescMethodUnary<I, O>,
      input: MessageInitShape<I>,
      token = serve.token,
    ): Promise<MessageShape<O>> {
      const metadata = new Metadata();
      if (auth === "token" && token !== "") metadata.set("authorization", `Bearer ${token}`);
      return new Promise((resolve, reject) => {
        client.makeUnaryRequest<MessageShape<I>, MessageShape<O>>(
          `/${method.parent.typeName}/${method.name}`,
          (message) => Buffer.from(toBinary(method.input, message)),
          (bytes) => fromBinary(method.output, bytes),
          create(method.input, input),
          metadata,
          { deadline: Date.now() + 10_000 },
          (error, message) => (error !== null || message === undefined ? reject(error) : resolve(message)),
        );
      });
    }
    const failure = (promise: Promise<unknown>): Promise<ServiceError> =>
      promise.then(
        () => Promise.reject(new Error("the call went through")),
        (error: ServiceError) => error,
      );

    it("creates, gets, lists, updates and deletes", async () => {
      const id = { name: "by-grpc", domain: "development", project: "p" };
      const secretSpec = { value: { case: "stringValue", value: CANARY } } as const;
      await call(SecretService.method.createSecret, { id, secretSpec });
      expect((await call(SecretService.method.getSecret, { id })).secret?.id).toMatchObject(id);
      await call(SecretService.method.updateSecret, { id, secretSpec });
      expect((await call(SecretService.method.listSecrets, {})).secrets).toHaveLength(1);
      expect(await failure(call(SecretService.method.createSecret, { id, secretSpec }))).toMatchObject({
        code: status.ALREADY_EXISTS,
      });
      await call(SecretService.method.deleteSecret, { id });
      expect(await failure(call(SecretService.method.getSecret, { id }))).toMatchObject({
        code: status.NOT_FOUND,
        details: "secret by-grpc not found",
      });
    });

    it("carries a value of 1 MiB whole and refuses a larger one with both sizes", async () => {
      const large = (name: string, bytes: number) => ({
        id: { name },
        secretSpec: { value: { case: "binaryValue", value: new Uint8Array(bytes).fill(7) } } as const,
      });
      await call(SecretService.method.createSecret, large("mib", 1024 * 1024));
      const refused = await failure(call(SecretService.method.createSecret, large("over", 1024 * 1024 + 1)));
      expect(refused.code).toBe(status.INVALID_ARGUMENT);
      expect(refused.details).toContain("1048577");
      expect(refused.details).toContain("1048576");
      expect(await failure(call(SecretService.method.getSecret, { id: { name: "over" } }))).toMatchObject({
        code: status.NOT_FOUND,
      });
    });

    if (auth !== "token") return;
    it("is UNAUTHENTICATED without the token and with another one", async () => {
      for (const token of ["", "wrong"]) {
        expect(await failure(call(SecretService.method.listSecrets, {}, token))).toMatchObject({
          code: status.UNAUTHENTICATED,
        });
      }
    });
  });
}
