import { join } from "node:path";
import { type DescMessage, fromBinary, fromJson, fromJsonString, toBinary, toJsonString } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { SecretRequestMessageSchema } from "@flyte-secrets/idl";
import { AuthMetadataService, ClusterService, SecretService } from "@flyte-secrets/idl/published";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { anyMessage } from "../support/any-message.ts";
import { FLYTEIDL2_PYTHON, FLYTEIDL2_VERSION, requireFlyteidl2 } from "../support/flyteidl2-python.ts";
import { type PythonPeer, startPythonPeer } from "../support/python-peer.ts";
import { membersIn, ownMembers, reachableTypes } from "../support/reachable-types.ts";
import { describeWith } from "../support/requirement.ts";

/** All that this project speaks of Flyte's. */
const TYPES = reachableTypes([SecretService, ClusterService, AuthMetadataService, SecretRequestMessageSchema]);
const MESSAGES = TYPES.filter((type) => type.kind === "message").filter(({ typeName }) =>
  typeName.startsWith("flyteidl2."),
);

/** What Flyte has added since the package that ours come from. Who updates that one shortens the list. */
const ADDED = [
  "flyteidl2.cluster.SelectClusterRequest.cluster_id",
  "flyteidl2.cluster.SelectClusterRequest.queue_id",
  "flyteidl2.cluster.SelectClusterRequest.Operation.OPERATION_UPLOAD_TRIGGER",
  "flyteidl2.cluster.SelectClusterRequest.Operation.OPERATION_GET_IMAGE",
  "flyteidl2.cluster.SelectClusterRequest.Operation.OPERATION_TRACKED_RUN_DATA",
  "flyteidl2.cluster.SelectClusterRequest.Operation.OPERATION_GET_CLUSTER_CONFIG",
  "flyteidl2.cluster.SelectClusterResponse.cluster",
];

const CANARY = "canary-flyteidl2-51c0";

describeWith(requireFlyteidl2(), `flyteidl2 ${FLYTEIDL2_VERSION}, its messages: plain with token`, () => {
  let peer: PythonPeer;
  let serve: ServeProcess;
  beforeAll(async () => {
    peer = startPythonPeer(FLYTEIDL2_PYTHON, join(import.meta.dirname, "flyte_messages.py"));
    serve = await startServe({ args: ["--auth", "token"] });
  });
  afterAll(async () => {
    await peer.close();
    expect(serve.output()).not.toContain(CANARY);
    expect(await serve.close()).toEqual({ exitCode: 0 });
  });

  it("has each message, value and call of ours with the same number, type and rules", async () => {
    const missing: string[] = [];
    const other: string[] = [];
    const added: string[] = [];
    const files = new Map<string, Promise<unknown>>();
    for (const type of TYPES.filter(({ typeName }) => typeName.startsWith("flyteidl2."))) {
      const file = `${type.file.name}.proto`;
      const asked = files.get(file) ?? peer.ask({ ask: "descriptor", file });
      files.set(file, asked);
      const descriptor = fromBinary(FileDescriptorProtoSchema, Buffer.from(String(await asked), "base64"));
      const theirs = membersIn(descriptor, type.typeName) ?? new Map();
      const ours = ownMembers(type);
      for (const [name, member] of ours) {
        if (!theirs.has(name)) missing.push(`${type.typeName}.${name}`);
        else if (theirs.get(name) !== member) other.push(`${type.typeName}.${name}`);
      }
      for (const name of theirs.keys()) if (!ours.has(name)) added.push(`${type.typeName}.${name}`);
    }
    expect(files.size).toBeGreaterThan(5);
    expect({ missing, other }).toEqual({ missing: [], other: [] });
    expect(added.toSorted()).toEqual(ADDED.toSorted());
  });

  it("reads each message as we write it, as bytes and as JSON, and we read it as it writes it", async () => {
    for (const schema of MESSAGES) await expectReadAlike(schema);
  });

  async function expectReadAlike(schema: DescMessage): Promise<void> {
    const messages = fc
      .sample(anyMessage(schema), { numRuns: 200, seed: 20_261_127 })
      .map((json) => fromJson(schema, json));
    const answers = await peer.ask({
      ask: "read",
      type: schema.typeName,
      messages: messages.map((message) => ({
        proto: Buffer.from(toBinary(schema, message)).toString("base64"),
        json: toJsonString(schema, message),
      })),
    });
    if (!Array.isArray(answers)) throw new Error("no list of answers");
    expect(answers).toHaveLength(messages.length);
    answers.forEach(({ same, proto, json }, at) => {
      const message = messages[at];
      const shown = `${schema.typeName}: ${message && toJsonString(schema, message)}`;
      expect(same, shown).toBe(true);
      expect(fromBinary(schema, Uint8Array.from(Buffer.from(proto, "base64"))), shown).toEqual(message);
      expect(fromJsonString(schema, json), shown).toEqual(message);
    });
  }

  for (const codec of ["proto", "json"]) {
    const call = (rpc: string, message: unknown, more: object = {}) =>
      peer.ask({
        ask: "call",
        url: `http://127.0.0.1:${serve.port}`,
        headers: { authorization: `Bearer ${serve.token}` },
        codec,
        rpc,
        message,
        ...more,
      });
    const secrets = (name: string, message: unknown, more?: object) =>
      call(`${SecretService.typeName}/${name}`, message, more);

    it(`${codec}: calls the service, by GET where that is free of side effects`, async () => {
      const id = { name: `by-${codec}`, domain: "development", project: "p" };
      const get = { get: true };
      const spec = { secretSpec: { binaryValue: Buffer.from(CANARY).toString("base64") } };
      expect(await secrets("CreateSecret", { id, ...spec })).toEqual({});
      expect(await secrets("UpdateSecret", { id, ...spec })).toEqual({});
      for (const way of [{}, get]) {
        const type = { secretMetadata: { secretStatus: { overallStatus: "FULLY_PRESENT" } } };
        expect(await secrets("GetSecret", { id }, way)).toMatchObject({ secret: { id, ...type } });
        expect(await secrets("ListSecrets", { domain: "development", limit: 200 }, way)).toMatchObject({
          secrets: [{ id }],
        });
        expect(await secrets("GetSecret", { id: { ...id, name: "gone" } }, way)).toEqual({
          code: "not_found",
          message: "secret gone not found",
        });
        expect(await secrets("ListSecrets", {}, { ...way, headers: {} })).toMatchObject({ code: "unauthenticated" });
      }
      expect(await secrets("DeleteSecret", { id }, get)).toMatchObject({ code: "unimplemented" });
      expect(await secrets("DeleteSecret", { id })).toEqual({});
      expect(await call(`${AuthMetadataService.typeName}/GetPublicClientConfig`, {}, get)).toMatchObject({
        authorizationMetadataKey: "authorization",
      });
    });

    it(`${codec}: asks SelectCluster for what is new there`, async () => {
      const answer = { clusterEndpoint: `http://127.0.0.1:${serve.port}` };
      for (const message of [
        { clusterId: { organization: "o", name: "c" }, operation: "OPERATION_GET_CLUSTER_CONFIG" },
        { queueId: { organization: "o", domain: "d", project: "p", name: "q" }, operation: "OPERATION_UPLOAD_TRIGGER" },
        { orgId: {}, operation: "OPERATION_GET_IMAGE" },
        { taskId: {}, operation: "OPERATION_TRACKED_RUN_DATA" },
        { operation: 99 },
      ]) {
        expect(await call(`${ClusterService.typeName}/SelectCluster`, message)).toEqual(answer);
      }
    });
  }
});
