import {
  createRegistry,
  type DescFile,
  type DescService,
  type Message,
  type Registry,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter, ConnectRouterOptions } from "@connectrpc/connect";
import { createReflectionMethod, type ReflectionRequest, type ReflectionResponse } from "./reflection-protocol.ts";

/**
 * Makes a function that adds gRPC's server reflection to a router, in its current version and the one before it, so
 * that tools such as `grpcurl` can list and call the services without their `.proto` files. Its streams are
 * bidirectional, so it needs HTTP/2. `loadServices` is called by the first question: few servers are asked one.
 */
export function createReflection(
  loadServices: () => Promise<readonly DescService[]>,
): (router: ConnectRouter, options: Partial<ConnectRouterOptions>) => void {
  const methods = (["grpc.reflection.v1", "grpc.reflection.v1alpha"] as const).map(createReflectionMethod);
  const createResponder = async () =>
    createReflectionResponder([...(await loadServices()), ...methods.map(({ parent }) => parent)]);
  let responder: ReturnType<typeof createResponder> | undefined;
  async function* answerEach(requests: AsyncIterable<Message>) {
    responder ??= createResponder();
    const answer = await responder;
    for await (const request of requests) {
      // The message type is made at run time, so the compiler cannot know its fields.
      const originalRequest = request as ReflectionRequest & { readonly host: string };
      yield { validHost: originalRequest.host, originalRequest, messageResponse: answer(originalRequest) };
    }
  }
  return (router, options) => {
    for (const method of methods) router.rpc(method, answerEach, options);
  };
}

/** gRPC's codes (https://github.com/grpc/grpc/blob/master/doc/statuscodes.md). */
const NOT_FOUND = 5;
const INVALID_ARGUMENT = 3;

/** Answers one reflection request from the services' descriptors. */
export function createReflectionResponder(
  services: readonly DescService[],
): (request: ReflectionRequest) => ReflectionResponse {
  const files = withDependencies(services.map(({ file }) => file));
  const registry = createRegistry(...files);
  const byName = new Map(files.map((file) => [protoName(file), file]));

  return ({ messageRequest: question }) => {
    switch (question.case) {
      case "listServices":
        return {
          case: "listServicesResponse",
          value: { service: services.map(({ typeName }) => ({ name: typeName })) },
        };
      case "fileByFilename":
        return toFileAnswer(byName.get(question.value), question.value);
      case "fileContainingSymbol":
        return toFileAnswer(findSymbol(registry, question.value), question.value);
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = question.value;
        const extension = extensionsOf(registry, containingType).find(({ number }) => number === extensionNumber);
        return toFileAnswer(extension?.file, `extension ${extensionNumber} of ${containingType}`);
      }
      case "allExtensionNumbersOfType": {
        if (registry.getMessage(question.value) === undefined) return notFound(question.value);
        const extensionNumber = extensionsOf(registry, question.value).map(({ number }) => number);
        return { case: "allExtensionNumbersResponse", value: { baseTypeName: question.value, extensionNumber } };
      }
      case undefined:
        return toError(INVALID_ARGUMENT, "the request asks nothing that this server knows of");
    }
  };
}

/** The file that defines a type, service, method, field or enum value of this full name. */
function findSymbol(registry: Registry, symbol: string): DescFile | undefined {
  const parent = registry.get(symbol.slice(0, symbol.lastIndexOf(".")));
  const member = symbol.slice(symbol.lastIndexOf(".") + 1);
  const whole = registry.get(symbol);
  if (whole !== undefined) return whole.file;
  switch (parent?.kind) {
    case "service":
      return parent.methods.some(({ name }) => name === member) ? parent.file : undefined;
    case "message":
      return parent.members.some(({ name }) => name === member) ? parent.file : undefined;
    default:
      return undefined;
  }
}

function extensionsOf(registry: Registry, typeName: string) {
  return [...registry]
    .filter((type) => type.kind === "extension")
    .filter(({ extendee }) => extendee.typeName === typeName);
}

/** The files and all that they import, each once, imports first. */
function withDependencies(files: readonly DescFile[]): DescFile[] {
  const found = new Set<DescFile>();
  const add = (file: DescFile) => {
    if (found.has(file)) return;
    file.dependencies.forEach(add);
    found.add(file);
  };
  files.forEach(add);
  return [...found];
}

function toFileAnswer(file: DescFile | undefined, asked: string): ReflectionResponse {
  if (file === undefined) return notFound(asked);
  // The requested file comes first, as in other implementations.
  const fileDescriptorProto = withDependencies([file])
    .toReversed()
    .map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function notFound(asked: string): ReflectionResponse {
  return toError(NOT_FOUND, `${asked} is not offered by this server`);
}

function toError(errorCode: number, errorMessage: string): ReflectionResponse {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}

/** protobuf-es leaves out the `.proto`. */
function protoName(file: DescFile): string {
  return `${file.name}.proto`;
}
