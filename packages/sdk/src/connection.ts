/** Resolves the connection and the scope like `./remote`, without loading its client. */
export { type Connection, findConnection, resolveConnection, resolveScope } from "./remote/connection.ts";
export { findOwnServer, type OwnServer, resolveDataDirectory } from "./remote/own-server.ts";
export { createOwnServerAgent } from "./remote/own-server-connection.ts";
