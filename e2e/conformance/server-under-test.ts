// The server that the conformance suite calls: our listener and our way of serving RPCs, with the suite's service on
// it. The suite starts it for each combination of settings: they come on standard input, its address goes to standard
// output.
import { readFileSync } from "node:fs";
import { create, createFileRegistry, type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createConnectRouter } from "@connectrpc/connect";
import { type ListenOptions, listen, replyError } from "@flyte-secrets/http";
import {
  createBodyBudget,
  createCallContext,
  createCallOptions,
  createUnknownRpc,
  DEFAULT_BODY_BYTES,
  requestAuthority,
  serveRpc,
  toContextValues,
} from "@flyte-secrets/service/testing";
import { pino } from "pino";
import { addConformanceService } from "./conformance-service.ts";

const PACKAGE = "connectrpc.conformance.v1";

/**
 * `ServerCompatRequest`: the settings that matter to us. The HTTP version and the protocol don't: one port serves them
 * all.
 */
interface ServerSettings extends Message {
  readonly useTls: boolean;
  /** 0 is no limit. */
  readonly messageReceiveLimit: number;
  readonly serverCreds?: { readonly cert: Uint8Array; readonly key: Uint8Array };
}

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(process.argv[2] ?? "")));

// The message is of a type that is read at run time, so nothing else can know its fields.
const settings = fromBinary(message("ServerCompatRequest"), await readMessage()) as ServerSettings;
const log = pino({ level: "warn" }, pino.destination(2));
const options = createCallOptions({
  log,
  authorise() {},
  onCall() {},
  readMaxBytes: settings.messageReceiveLimit || 0xffffffff,
});
const router = createConnectRouter();
addConformanceService(router, registry, { ...options, jsonOptions: { ...options.jsonOptions, registry } });
const rpcs = new Map(router.handlers.map((rpc) => [rpc.requestPath, rpc]));
const findUnknownRpc = createUnknownRpc();

const bodies = createBodyBudget(DEFAULT_BODY_BYTES);

const handler: ListenOptions["handler"] = (req, res) => {
  const path = req.url?.split("?", 1)[0] ?? "";
  const rpc = rpcs.get(path) ?? findUnknownRpc(path, req.headers["content-type"] ?? "");
  const call = createCallContext({ authority: requestAuthority(req), pathName: undefined });
  if (rpc !== undefined) {
    const body = bodies.read({ req, res });
    return serveRpc({ req, res }, rpc, { log, body, values: toContextValues(call) });
  }
  return replyError({ req, res }, { status: 404, code: "unimplemented", message: "no RPC's path" });
};
const { serverCreds: tls } = settings;
const pem = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const { port } = await listen({
  handler,
  host: "127.0.0.1",
  port: 0,
  ...(settings.useTls && tls && { tls: { cert: pem(tls.cert), key: pem(tls.key) } }),
});
writeMessage("ServerCompatResponse", { host: "127.0.0.1", port, ...(settings.useTls && tls && { pemCert: tls.cert }) });

function message(name: string): DescMessage {
  const found = registry.getMessage(`${PACKAGE}.${name}`);
  if (found === undefined) throw new Error(`the suite's descriptors lack ${name}`);
  return found;
}

/** The suite puts four bytes with its length before each message. */
async function readMessage(): Promise<Uint8Array> {
  let input = Buffer.alloc(0);
  for await (const chunk of process.stdin) {
    input = Buffer.concat([input, chunk]);
    if (input.length >= 4 && input.length >= 4 + input.readUInt32BE()) break;
  }
  return input.subarray(4, 4 + input.readUInt32BE());
}

function writeMessage(name: string, content: Record<string, unknown>): void {
  const body = toBinary(message(name), create(message(name), content));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  process.stdout.write(Buffer.concat([length, body]));
}
