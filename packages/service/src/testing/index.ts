export type { Issuer } from "./../auth/issuer.ts";
export { verifyToken } from "./../auth/verify-token.ts";
export { readQuery } from "./../rest/read-query.ts";
export { findRestRoute } from "./../rest/rest-routes.ts";
export { beginCall, carryCall } from "./../rpc/call.ts";
export { createCallOptions } from "./../rpc/call-options.ts";
export { requestAuthority, serveRpc } from "./../rpc/serve-rpc.ts";
export { createUnknownRpc } from "./../rpc/unknown-rpc.ts";
export { send, sendHttp2 } from "./send.ts";
