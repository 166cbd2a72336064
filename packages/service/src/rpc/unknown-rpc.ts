import { Code, ConnectError, createConnectRouter } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { AuthMetadataService } from "@flyte-secrets/idl";
import { avoidLoginPrompt } from "./connect-errors.ts";

/** Any unary method that allows Connect GET too. Its messages are never read. */
const unary = AuthMetadataService.method.getOAuth2Metadata;
const RPC_PATH = /^\/[A-Za-z_]\w*(?:\.\w+)+\/\w+$/;

/**
 * Finds the handler that answers an RPC which this server does not offer: with `unimplemented` in the caller's own
 * protocol, streaming or not, before the body is read. Undefined for a path that is not an RPC's.
 */
export function createUnknownRpc(): (path: string, contentType: string) => UniversalHandler | undefined {
  const { handlers } = createConnectRouter({
    requestGate: ({ url, responseHeader }) => {
      responseHeader.set("cache-control", "no-store");
      const rpc = new URL(url).pathname.slice(1);
      throw new ConnectError(avoidLoginPrompt(`${rpc} is not offered by this server`), Code.Unimplemented);
    },
  })
    .rpc(unary, () => ({}))
    .rpc({ ...unary, methodKind: "server_streaming" }, () => ({ async *[Symbol.asyncIterator]() {} }));
  const [unaryHandler, streamHandler] = handlers;
  return (path, contentType) => {
    if (!RPC_PATH.test(path)) return undefined;
    return contentType.startsWith("application/connect+") ? streamHandler : unaryHandler;
  };
}
