import { spawnSync } from "node:child_process";
import {
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { loadConfig } from "@flyte-secrets/config";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { expect, it, onTestFinished } from "vitest";
import { createLogger } from "./logger.ts";
import type { Tracing } from "./spans.ts";
import { spansIn, startCollector } from "./testing/start-collector.ts";
import { openTracing } from "./tracing.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
const traceparent = (flags: string) => ({ traceparent: `00-${TRACE}-${PARENT}-${flags}` });

async function open(flags: Record<string, string>) {
  const config = loadConfig({ files: [], defaultFiles: [], env: {}, flags, home: "/", cwd: "/" });
  const logged: string[] = [];
  const log = createLogger(config.logger, { write: (line) => void logged.push(line) });
  const tracing = await openTracing({ config: config.otel, serviceName: "executor", log });
  if (tracing) onTestFinished(() => tracing.close());
  return { tracing, logged: () => logged.join("") };
}

function trace(tracing: Tracing | undefined, name: string, headers = {}): void {
  tracing?.startSpan(name, headers).end({ attributes: { code: "ok", count: 2, managers: ["K8s"] }, failed: false });
}

it("traces nothing unless it is configured", async () => {
  expect((await open({})).tracing).toBeUndefined();
});

it("sends spans to a collector over HTTP, as part of the caller's trace", async () => {
  const collector = await startCollector();
  const { tracing } = await open({ "otel.type": "otlphttp", "otel.otlphttp.endpoint": collector.url });
  trace(tracing, "first", traceparent("01"));
  tracing?.startSpan("second", {}).end({ attributes: {}, failed: true });
  await tracing?.close();
  expect(collector.spans()).toEqual([
    {
      service: "executor",
      name: "first",
      traceId: TRACE,
      parentSpanId: PARENT,
      status: 0,
      attributes: { code: "ok", count: 2, managers: ["K8s"] },
    },
    {
      service: "executor",
      name: "second",
      traceId: expect.stringMatching(/^(?!0af7)[0-9a-f]{32}$/),
      parentSpanId: undefined,
      status: 2,
      attributes: {},
    },
  ]);
});

it("sends spans to a collector over gRPC", async () => {
  const received: Buffer[] = [];
  const server = new Server();
  const identity = (bytes: Buffer) => bytes;
  const path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
  const types = { requestStream: false, responseStream: false, requestDeserialize: identity } as const;
  const method = {
    path,
    ...types,
    requestSerialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  };
  server.addService(
    { export: method },
    {
      export(call: { request: Buffer }, answer: (error: null, response: Buffer) => void) {
        received.push(call.request);
        answer(null, Buffer.alloc(0));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  onTestFinished(() => server.forceShutdown());
  const { tracing } = await open({ "otel.type": "otlpgrpc", "otel.otlpgrpc.endpoint": `http://127.0.0.1:${port}` });
  trace(tracing, "the-span", traceparent("01"));
  await tracing?.close();
  const request = Buffer.concat(received);
  for (const part of ["executor", "the-span", "managers"]) expect(request.includes(part), part).toBe(true);
  expect(request.includes(Buffer.from(TRACE, "hex"))).toBe(true);
});

it("writes spans to a file of this user's, a batch a line", async () => {
  const file = join(createTemporaryDirectory(), "trace.txt");
  for (const name of ["first", "second"]) {
    const { tracing } = await open({ "otel.type": "file", "otel.file.filename": file });
    trace(tracing, name);
    await tracing?.close();
  }
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  expect(lines.flatMap(spansIn).map(({ name }) => name)).toEqual(["first", "second"]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it.each<[string, (file: string, other: string) => void]>([
  ["a symbolic link", (file, other) => symlinkSync(other, file)],
  ["a symbolic link to nothing", (file, other) => symlinkSync(`${other}-none`, file)],
  ["a second name of a file", (file, other) => linkSync(other, file)],
  ["a pipe", (file) => void spawnSync("mkfifo", [file])],
  ["a directory", (file) => mkdirSync(file)],
])("writes no spans to %s in the file's place, and says so", async (_, put) => {
  const directory = createTemporaryDirectory();
  const [file, other] = [join(directory, "trace.txt"), join(directory, "other")];
  writeFileSync(other, "untouched");
  put(file, other);
  const { tracing, logged } = await open({ "otel.type": "file", "otel.file.filename": file });
  trace(tracing, "span");
  await tracing?.close();
  expect(logged()).toMatch(/traces could not be sent/);
  expect(readFileSync(other, "utf8")).toBe("untouched");
  expect(existsSync(`${other}-none`)).toBe(false);
});

it("writes no spans to a file that holds anything else", async () => {
  const file = join(createTemporaryDirectory(), "master.key");
  writeFileSync(file, "untouched");
  const { tracing, logged } = await open({ "otel.type": "file", "otel.file.filename": file });
  trace(tracing, "span");
  await tracing?.close();
  expect(logged()).toContain(`otel.file.filename: ${file} holds something else than spans: name another file`);
  expect(readFileSync(file, "utf8")).toBe("untouched");
});

// Only root can make a file of somebody else's.
it.runIf(process.geteuid?.() === 0)("writes no spans to a file of another user's", async () => {
  const file = join(createTemporaryDirectory(), "trace.txt");
  writeFileSync(file, "");
  chownSync(file, 65534, 65534);
  const { tracing, logged } = await open({ "otel.type": "file", "otel.file.filename": file });
  trace(tracing, "span");
  await tracing?.close();
  expect(logged()).toContain(`otel.file.filename: ${file} is not a file of this user's own`);
  expect(readFileSync(file, "utf8")).toBe("");
});

it("goes by the caller's decision, and else keeps all traces or a share", async () => {
  const collector = await startCollector();
  const share = { "otel.sampler.parentSampler": "traceid", "otel.sampler.traceIdRatio": "0" };
  const { tracing } = await open({ "otel.type": "otlphttp", "otel.otlphttp.endpoint": collector.url, ...share });
  trace(tracing, "kept by the caller", traceparent("01"));
  trace(tracing, "dropped by the caller", traceparent("00"));
  trace(tracing, "of nobody's trace");
  await tracing?.close();
  expect(collector.spans().map(({ name }) => name)).toEqual(["kept by the caller"]);
});

it("logs that a collector is away, and closes in time all the same", async () => {
  const { tracing, logged } = await open({ "otel.type": "otlphttp", "otel.otlphttp.endpoint": "http://127.0.0.1:9/" });
  trace(tracing, "lost");
  await tracing?.close();
  expect(logged()).toMatch(/traces could not be sent/);
});
