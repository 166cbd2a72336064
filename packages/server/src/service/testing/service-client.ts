import { type Client, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { SecretService } from "@flyte-secrets/idl";

export type SecretClient = Client<typeof SecretService>;

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

/** A client over Connect JSON that sends these headers with each call. */
export function createSecretClient(url: string, headers: Record<string, string> = {}): SecretClient {
  const addHeaders: Interceptor = (next) => (request) => {
    for (const [name, value] of Object.entries(headers)) request.header.set(name, value);
    return next(request);
  };
  const interceptors = [addHeaders];
  return createClient(
    SecretService,
    createConnectTransport({ baseUrl: url, httpVersion: "1.1", useBinaryFormat: false, interceptors }),
  );
}
