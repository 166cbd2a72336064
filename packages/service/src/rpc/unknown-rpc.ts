import { Code, ConnectError, createConnectRouter } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { AuthMetadataService } from "@flyte-secrets/idl";
import { avoidLoginPrompt } from "./sanitize-errors.ts";

/** Any unary method that allows Connect GET too. Its messages are never read. */
const unary = AuthMetadataService.method.getOAuth2Metadata;
const RPC_PATH = /^\/[A-Za-z_]\w*(?:\.\w+)+\/\w+$/;

/**
 * Finds who answers an RPC that this server doesn't offer: `unimplemented` in the caller's own protocol, streaming or not, before
 * the body is read. Gives undefined for a path that is no RPC's.
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
