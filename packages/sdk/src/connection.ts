/** Where the service is, and whose secrets are meant: what `./remote` also resolves, without loading its client. */
export { type Connection, findConnection, resolveConnection, resolveScope } from "./remote/connection.ts";
export { type EmbeddedServer, findEmbeddedServer, resolveDataDirectory } from "./remote/embedded-server.ts";
export { createEmbeddedServerAgent } from "./remote/embedded-server-connection.ts";
