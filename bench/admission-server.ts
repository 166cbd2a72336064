// One process of the admission measurements, told over IPC what to be (ServerKind) and answering with its port.
//   bare: reads the body, answers {}
//   floor: reads the body, JSON.parses it, answers a constant base64 patch: the ceiling for any webhook in Node
//   ours: the webhook, over an embedded store; the Secrets of SecretRef go nowhere, since there is no cluster
import cluster from "node:cluster";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { toWebhookOptions } from "@flyte-secrets/cli/configured";
import { loadConfig } from "@flyte-secrets/config";
import { createLogger } from "@flyte-secrets/http";
import { startWebhook } from "@flyte-secrets/webhook";
import { floorAnswer } from "./floor-answer.ts";

export type ServerKind =
  | { readonly kind: "bare" }
  | { readonly kind: "floor"; readonly patch: string }
  | { readonly kind: "ours"; readonly directory: string; readonly delivery: "SecretRef" | "Inline" };

export interface ServerOrder {
  readonly server: ServerKind;
  readonly workers: number;
  readonly tls: { readonly cert: string; readonly key: string };
}

async function serve({ server, tls }: ServerOrder): Promise<number> {
  if (server.kind === "ours") return serveOurs(server, tls);
  const answer = (body: Buffer) => (server.kind === "bare" ? "{}" : floorAnswer(body, server.patch));
  const http = createServer({ ...tls, keepAliveTimeout: 60_000 }, (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk) => chunks.push(chunk));
    incoming.once("end", () => {
      const text = answer(chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks));
      outgoing.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
      outgoing.end(text);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return (http.address() as AddressInfo).port;
}

async function serveOurs(
  { directory, delivery }: ServerKind & { kind: "ours" },
  tls: ServerOrder["tls"],
): Promise<number> {
  const flags = {
    "secret.store.path": directory,
    "webhook.listenPort": "0",
    "webhook.cacheInvalidationPort": "0",
    "webhook.embeddedSecretManagerConfig.type": "Store",
    "webhook.embeddedSecretManagerConfig.delivery": delivery,
    "executor.healthProbeBindAddress": "127.0.0.1:0",
    "executor.metricsBindAddress": "127.0.0.1:0",
    "executor.metricsSecure": "false",
  };
  const config = loadConfig({ files: [], defaultFiles: [], env: {}, flags, home: directory, cwd: directory });
  const webhook = await startWebhook(toWebhookOptions(config, "flyte"), {
    log: createLogger(config.logger, { write: () => {} }),
    env: {},
    home: "/",
    certificates: { current: () => ({ ...tls, ca: tls.cert }), onChange: () => () => {}, close: async () => {} },
    writer: { write() {} },
  });
  return webhook.ports.admission ?? 0;
}

const report = (port: number) => void process.send?.(port);
process.once("disconnect", () => process.exit(0));
process.once("message", (order: ServerOrder) => {
  if (cluster.isWorker || order.workers === 1) {
    void serve(order).then(report);
    return;
  }
  let waiting = order.workers;
  for (let n = 0; n < order.workers; n++) {
    const worker = cluster.fork();
    worker.send(order);
    worker.on("message", (port: number) => {
      if (--waiting === 0) report(port);
    });
  }
});
