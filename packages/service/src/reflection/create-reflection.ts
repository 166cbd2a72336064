import type { DescService, Message } from "@bufbuild/protobuf";
import type { ConnectRouter, ConnectRouterOptions } from "@connectrpc/connect";
import { createReflectionAnswers } from "./answer-reflection.ts";
import { createReflectionMethod, type ReflectionRequest } from "./reflection-protocol.ts";

/**
 * Makes what adds gRPC's server reflection to a router, in its current version and the one before it, so that tools such as `grpcurl` can
 * list and call the services without their `.proto` files. It streams both ways, so it needs HTTP/2.
 */
export function createReflection(
  services: readonly DescService[],
): (router: ConnectRouter, options: Partial<ConnectRouterOptions>) => void {
  const methods = (["grpc.reflection.v1", "grpc.reflection.v1alpha"] as const).map(createReflectionMethod);
  const answer = createReflectionAnswers([...services, ...methods.map(({ parent }) => parent)]);
  async function* answerEach(requests: AsyncIterable<Message>) {
    for await (const request of requests) {
      // The message is of a type that is made at run time, so nothing else can know its fields.
      const originalRequest = request as ReflectionRequest & { readonly host: string };
      yield { validHost: originalRequest.host, originalRequest, messageResponse: answer(originalRequest) };
    }
  }
  return (router, options) => {
    for (const method of methods) router.rpc(method, answerEach, options);
  };
}
