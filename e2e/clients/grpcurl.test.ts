import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { GRPCURL, GRPCURL_VERSION, requireGrpcurl } from "../support/grpcurl.ts";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";

const CANARY = "canary-grpcurl-0d7e";
const SERVICE = "flyteidl2.secret.SecretService";

for (const auth of ["none", "token"] as const) {
  describeWith(requireGrpcurl(), `grpcurl ${GRPCURL_VERSION}: plain${auth === "token" ? " with token" : ""}`, () => {
    let serve: ServeProcess;
    let directory: string;
    beforeAll(async () => {
      serve = await startServe({ args: ["--auth", auth] });
      directory = mkdtempSync(join(tmpdir(), "flyte-secrets-grpcurl-"));
    });
    afterAll(async () => {
      rmSync(directory, { recursive: true });
      expect(serve.output()).not.toContain(CANARY);
      expect(await serve.close()).toEqual({ exitCode: 0 });
    });

    function grpcurl(args: readonly string[], { input = "", token = serve.token } = {}) {
      const credentials = token === "" ? [] : ["-H", `authorization: Bearer ${token}`];
      return runProgram(GRPCURL, ["-plaintext", ...credentials, ...args], { input });
    }
    const server = () => `127.0.0.1:${serve.port}`;
    const call = (method: string, body: unknown) =>
      grpcurl(["-d", "@", server(), `${SERVICE}/${method}`], { input: JSON.stringify(body) });

    it("lists the services and describes them without their files", async () => {
      const listed = await grpcurl([server(), "list"]);
      expect(listed.stdout.trim().split("\n")).toEqual([
        "flyteidl2.auth.AuthMetadataService",
        "flyteidl2.cluster.ClusterService",
        "flyteidl2.secret.SecretService",
        "flytesecrets.v1.LookupService",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
      ]);
      const described = await grpcurl([server(), "describe", `${SERVICE}.GetSecret`]);
      expect(described.stdout).toContain(
        "rpc GetSecret ( .flyteidl2.secret.GetSecretRequest ) returns ( .flyteidl2.secret.GetSecretResponse )",
      );
      const missing = await grpcurl([server(), "describe", "flyteidl2.secret.Nothing"]);
      expect(missing.exitCode).not.toBe(0);
      expect(missing.stderr).toContain("Symbol not found");
    });

    it("creates, gets, lists and deletes", async () => {
      const id = { name: "by-grpcurl", domain: "development", project: "p" };
      const created = await call("CreateSecret", { id, secretSpec: { stringValue: CANARY } });
      expect(created, created.stderr).toMatchObject({ exitCode: 0, stdout: "{}\n" });
      expect(JSON.parse((await call("GetSecret", { id })).stdout).secret.id).toEqual(id);
      expect(JSON.parse((await call("ListSecrets", {})).stdout).secrets).toHaveLength(1);
      expect(await call("DeleteSecret", { id })).toMatchObject({ exitCode: 0 });
      const missing = await call("GetSecret", { id });
      expect(missing.exitCode).not.toBe(0);
      expect(missing.stderr).toContain("Code: NotFound\n  Message: secret by-grpcurl not found");
    });

    it("calls LookupSecrets by its .proto file", async () => {
      const id = { name: "by-proto", domain: "development", project: "" };
      await call("CreateSecret", { id, secretSpec: { stringValue: CANARY } });
      const proto = ["-import-path", join(import.meta.dirname, "../../packages/idl/proto")];
      const file = ["-proto", "flytesecrets/v1/lookup.proto"];
      const method = "flytesecrets.v1.LookupService/LookupSecrets";
      const question = JSON.stringify({ domain: "development", project: "p", keys: ["by-proto", "none"] });
      const found = await grpcurl([...proto, ...file, "-d", "@", server(), method], { input: question });
      expect(found, found.stderr).toMatchObject({ exitCode: 0 });
      expect(JSON.parse(found.stdout)).toEqual({
        secrets: [{ key: "by-proto", domain: "development", form: "VALUE_FORM_TEXT" }],
      });
      expect(await call("DeleteSecret", { id })).toMatchObject({ exitCode: 0 });
      const described = await grpcurl([server(), "describe", "flytesecrets.v1.LookupSecretsRequest"]);
      const written = await grpcurl([...proto, ...file, "describe", "flytesecrets.v1.LookupSecretsRequest"]);
      expect(described.stdout).toBe(written.stdout.replace(/^ *\/\/.*\n/gm, ""));
    });

    it("gets the descriptors that Flyte's package publishes", async () => {
      const file = join(directory, "descriptors");
      const services = ["flyteidl2.auth.AuthMetadataService", "flyteidl2.cluster.ClusterService", SERVICE];
      for (const service of services) {
        const { exitCode, stderr } = await grpcurl(["-protoset-out", file, server(), "describe", service]);
        expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
        const served = fromBinary(FileDescriptorSetSchema, new Uint8Array(readFileSync(file))).file;
        const flyte = served.filter(({ name }) => name.startsWith("flyteidl2/"));
        expect(flyte.length).toBeGreaterThan(0);
        expect(flyte.map(toComparable)).toEqual(flyte.map(({ name }) => published(name)));
        rmSync(file);
      }
    });

    if (auth !== "token") return;
    it("is refused without the token, and by reflection too", async () => {
      for (const args of [["list"], [`${SERVICE}/ListSecrets`]]) {
        const refused = await grpcurl([server(), ...args], { token: "wrong" });
        expect(refused.exitCode).not.toBe(0);
        expect(refused.stderr).toMatch(/Unauthenticated.*the token is wrong|the token is wrong/s);
      }
    });
  });
}

/**
 * The descriptor in the published package, which is TypeScript with the descriptor's bytes in it; imports are
 * TypeScript's there, named after the files.
 */
function published(name: string): Comparable {
  const idl = dirname(createRequire(import.meta.url).resolve("@flyteorg/flyteidl2/package.json"));
  const source = readFileSync(join(idl, name.replace(/\.proto$/, "_pb.ts")), "utf8");
  const [, bytes = "", imports = ""] = /fileDesc\("([^"]+)"(?:, \[([^\]]*)\])?/.exec(source) ?? [];
  return {
    ...toComparable(fromBinary(FileDescriptorProtoSchema, base64Decode(bytes))),
    imports: imports.split(", ").filter((one) => one !== ""),
  };
}

interface Comparable {
  readonly imports: readonly string[];
  readonly file: unknown;
}

/** Without JSON names, which the package leaves out, since they follow from the others. */
function toComparable({ dependency, ...rest }: FileDescriptorProto): Comparable {
  const left = JSON.stringify(rest, (key, value) => {
    if (key === "jsonName" || key === "dependency") return undefined;
    return typeof value === "bigint" ? String(value) : value;
  });
  const imports = dependency.map((name) => `file_${name.replace(/\.proto$/, "").replaceAll(/[^\w]/g, "_")}`);
  return { imports, file: JSON.parse(left) };
}
