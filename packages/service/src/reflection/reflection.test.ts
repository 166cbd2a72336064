import { type DescMethodBiDiStreaming, fromBinary, type Message } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { startTestService } from "../testing/start-test-service.ts";
import { createReflectionMethod, type ReflectionResponse } from "./reflection-protocol.ts";

type Question = Record<string, unknown>;

/** Asks all questions on one stream and gives the answers in order. */
async function ask(
  url: string,
  method: DescMethodBiDiStreaming,
  ...questions: Question[]
): Promise<ReflectionResponse[]> {
  const transport = createGrpcTransport({ baseUrl: url, idleConnectionTimeoutMs: 100 });
  async function* requests() {
    yield* questions.map((messageRequest) => ({ messageRequest }));
  }
  const { message } = await transport.stream(method, undefined, undefined, undefined, requests());
  const answers: ReflectionResponse[] = [];
  for await (const response of message) {
    // The message is of a type that is made at run time, so nothing else can know its fields.
    answers.push((response as Message & { readonly messageResponse: ReflectionResponse }).messageResponse);
  }
  return answers;
}

const v1 = createReflectionMethod("grpc.reflection.v1");

/** The names of the files in an answer, or its error. */
function filesOf(answer: ReflectionResponse | undefined): string[] | string {
  if (answer?.case === "errorResponse") return `${answer.value.errorCode}: ${answer.value.errorMessage}`;
  if (answer?.case !== "fileDescriptorResponse") return `${answer?.case}`;
  return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
}

describe.each(["grpc.reflection.v1", "grpc.reflection.v1alpha"] as const)("%s", (protoPackage) => {
  test("lists the services, itself included", async () => {
    const { url } = await startTestService();
    const [answer] = await ask(url, createReflectionMethod(protoPackage), { case: "listServices", value: "" });
    expect(answer).toMatchObject({
      case: "listServicesResponse",
      value: {
        service: [
          { name: "flyteidl2.secret.SecretService" },
          { name: "flyteidl2.cluster.ClusterService" },
          { name: "flyteidl2.auth.AuthMetadataService" },
          { name: "flytesecrets.v1.LookupService" },
          { name: "grpc.reflection.v1.ServerReflection" },
          { name: "grpc.reflection.v1alpha.ServerReflection" },
        ],
      },
    });
  });
});

test.each([
  ["a service", "flyteidl2.secret.SecretService", "flyteidl2/secret/secret.proto"],
  ["a method", "flyteidl2.secret.SecretService.GetSecret", "flyteidl2/secret/secret.proto"],
  ["a message", "flyteidl2.secret.CreateSecretRequest", "flyteidl2/secret/payload.proto"],
  ["a field", "flyteidl2.secret.CreateSecretRequest.secret_spec", "flyteidl2/secret/payload.proto"],
  ["an enum", "flyteidl2.secret.SecretType", "flyteidl2/secret/definition.proto"],
])("finds the file of %s, followed by all that it imports", async (_, value, file) => {
  const { url } = await startTestService();
  const [answer] = await ask(url, v1, { case: "fileContainingSymbol", value });
  const files = filesOf(answer);
  expect(files[0]).toBe(file);
  expect(files).toContain("buf/validate/validate.proto");
  expect(new Set(files).size).toBe(files.length);
});

test("answers one question after the other on a stream, and goes on after one that it can't answer", async () => {
  const { url } = await startTestService();
  const answers = await ask(
    url,
    v1,
    { case: "fileContainingSymbol", value: "no.such.Symbol" },
    { case: "fileContainingSymbol", value: "flyteidl2.secret.SecretService.NoSuchMethod" },
    { case: "fileByFilename", value: "no/such.proto" },
    { case: undefined },
    { case: "fileByFilename", value: "flyteidl2/cluster/service.proto" },
  );
  expect(answers.map(filesOf)).toEqual([
    "5: no.such.Symbol is not offered by this server",
    "5: flyteidl2.secret.SecretService.NoSuchMethod is not offered by this server",
    "5: no/such.proto is not offered by this server",
    "3: the request asks nothing that this server knows of",
    expect.arrayContaining(["flyteidl2/cluster/service.proto", "flyteidl2/cluster/payload.proto"]),
  ]);
});

test("finds extensions by number and lists them", async () => {
  const { url } = await startTestService();
  const containingType = "google.protobuf.FieldOptions";
  const [file, numbers, none] = await ask(
    url,
    v1,
    { case: "fileContainingExtension", value: { containingType, extensionNumber: 1159 } },
    { case: "allExtensionNumbersOfType", value: containingType },
    { case: "allExtensionNumbersOfType", value: "no.such.Type" },
  );
  expect(filesOf(file)[0]).toBe("buf/validate/validate.proto");
  expect(numbers).toMatchObject({ case: "allExtensionNumbersResponse", value: { baseTypeName: containingType } });
  expect(numbers?.case === "allExtensionNumbersResponse" && numbers.value.extensionNumber).toContain(1159);
  expect(filesOf(none)).toBe("5: no.such.Type is not offered by this server");
});

test("asks for the token like any other call", async () => {
  const { url } = await startTestService({ config: { auth: { mode: "token", token: "t0ken-of-this-test" } } });
  const refused = await ask(url, v1, { case: "listServices", value: "" }).catch(ConnectError.from);
  expect(refused).toMatchObject({ code: Code.Unauthenticated });
});
