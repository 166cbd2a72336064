import type { Transport } from "@connectrpc/connect";
import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";

/** Each way a client may speak to the service; request bodies are gzipped where it says so. */
export const TRANSPORTS: Record<string, (url: string) => Transport> = {
  "Connect JSON over HTTP/1.1": (baseUrl) =>
    createConnectTransport({ ...secure(baseUrl), httpVersion: "1.1", useBinaryFormat: false }),
  "Connect JSON over HTTP/2": (baseUrl) =>
    createConnectTransport({ ...secure(baseUrl), httpVersion: "2", useBinaryFormat: false }),
  "Connect binary over HTTP/1.1, gzipped": (baseUrl) =>
    createConnectTransport({ ...secure(baseUrl), ...gzipped, httpVersion: "1.1" }),
  "Connect binary over HTTP/2": (baseUrl) => createConnectTransport({ ...secure(baseUrl), httpVersion: "2" }),
  "gRPC over HTTP/2": (baseUrl) => createGrpcTransport(secure(baseUrl)),
  "gRPC over HTTP/2, gzipped": (baseUrl) => createGrpcTransport({ ...secure(baseUrl), ...gzipped }),
  "gRPC-Web over HTTP/1.1, gzipped": (baseUrl) =>
    createGrpcWebTransport({ ...secure(baseUrl), ...gzipped, httpVersion: "1.1" }),
  "gRPC-Web over HTTP/2": (baseUrl) => createGrpcWebTransport({ ...secure(baseUrl), httpVersion: "2" }),
};

const gzipped = { sendCompression: compressionGzip, acceptCompression: [compressionGzip], compressMinBytes: 1 };

function secure(baseUrl: string) {
  return { baseUrl, nodeOptions: { rejectUnauthorized: false }, idleConnectionTimeoutMs: 100 };
}
