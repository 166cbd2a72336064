import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { TLSSocket } from "node:tls";

/** What of a request says where it went and for whom. */
export interface RecordedRequest {
  /** Without the query. */
  readonly path: string | undefined;
  /** `authorization` and `impersonate-*`. */
  readonly identity: Readonly<Record<string, string>>;
  /** The serial number of the client's certificate. */
  readonly certificate?: string;
  /** The name that the client asked the certificate of. */
  readonly servername?: string;
}

/** A server that answers every request with an object's version and keeps who asked. */
export interface RecordingApiServer {
  readonly url: string;
  /** The port alone, for addresses without a scheme. */
  readonly port: number;
  /** Those since the last call. */
  takeRequests(): RecordedRequest[];
  close(): Promise<void>;
}

/** Speaks TLS with this certificate, and asks clients for theirs; plain HTTP without one. */
export async function startRecordingApiServer(tls?: { cert: string; key: string }): Promise<RecordingApiServer> {
  let requests: RecordedRequest[] = [];
  const answer = (req: IncomingMessage, res: ServerResponse) => {
    requests.push(record(req));
    res.setHeader("content-type", "application/json").end('{"major":"1","minor":"37","gitVersion":"v1.37.2"}');
  };
  const server = tls
    ? createHttpsServer({ ...tls, requestCert: true, rejectUnauthorized: false }, answer)
    : createHttpServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A server that listens on TCP has such an address.
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    port,
    takeRequests() {
      const taken = requests;
      requests = [];
      return taken;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function record({ url, headersDistinct, socket }: IncomingMessage): RecordedRequest {
  const names = Object.keys(headersDistinct).filter(
    (name) => name === "authorization" || name.startsWith("impersonate-"),
  );
  const identity = Object.fromEntries(names.sort().map((name) => [name, (headersDistinct[name] ?? []).join(" + ")]));
  const certificate = socket instanceof TLSSocket ? socket.getPeerCertificate()?.serialNumber : undefined;
  const servername = socket instanceof TLSSocket && socket.servername ? socket.servername : undefined;
  return { path: url?.split("?")[0], identity, ...(certificate && { certificate }), ...(servername && { servername }) };
}
