import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toWebhookOptions } from "@flyte-secrets/cli/configured";
import { loadConfig } from "@flyte-secrets/config";
import { createLogger } from "@flyte-secrets/http";
import { createCertificate } from "@flyte-secrets/testkit";
import { startWebhook } from "@flyte-secrets/webhook";
import { checkAnswer, sendBytes } from "../send-bytes.ts";
import type { FuzzTarget } from "../target.ts";

const request = (line: string, body: string, headers = "content-type: application/json\r\n") =>
  `${line} HTTP/1.1\r\nHost: h\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const review = (change: object) =>
  JSON.stringify({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      uid: "1",
      kind: { version: "v1", kind: "Pod" },
      operation: "CREATE",
      namespace: "p-development",
      object: {
        metadata: {
          labels: { organization: "flyte", project: "p", domain: "development" },
          annotations: { "flyte.secrets/s0": "nnsxsorcbajceieifu" },
        },
        spec: { containers: [{ name: "c" }] },
      },
      ...change,
    },
  });

/**
 * The webhook's ports: the first byte says which (`a`dmission, `i`nvalidation, `p`robes), the rest is what a connection
 * brings.
 */
export const target: FuzzTarget = {
  seeds: [
    `a${request("POST /mutate--v1-pod?timeout=10s", review({}))}`,
    `a${request("POST /mutate--v1-pod", review({ operation: "DELETE" }))}`,
    `a${request("GET /mutate--v1-pod?timeout=1h1h1h1h1x", "")}`,
    `i${request("POST /invalidate-secret", '{"org":"flyte","project":"p","domain":"d","name":"x"}')}`,
    `i${request("POST /invalidate-secret", '{"org":"flyte","project":"p","name":"x"}')}`,
    "pGET /readyz HTTP/1.1\r\nHost: h\r\n\r\n",
    "pGET /healthz HTTP/1.1\r\nHost: h\r\nexpect: 100-continue\r\n\r\n",
  ],
  dictionary: [
    "HTTP/1.1",
    "\r\n",
    "\r\n\r\n",
    "transfer-encoding: chunked\r\n",
    "0\r\n\r\n",
    "expect: 100-continue\r\n",
    "?timeout=",
    "11h",
    "content-length: 1\r\n",
    "/invalidate-secret",
    "/mutate--v1-pod",
    "/metrics",
    "org",
    "project",
    "domain",
    "name",
    "authorization: Bearer x\r\n",
  ],
  async open() {
    const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-fuzz-"));
    const flags = {
      "webhook.listenPort": "0",
      "webhook.cacheInvalidationPort": "0",
      "webhook.embeddedSecretManagerConfig.delivery": "Inline",
      "executor.healthProbeBindAddress": "127.0.0.1:0",
      "executor.metricsBindAddress": "",
      "secret.store.path": directory,
    };
    const config = loadConfig({ files: [], defaultFiles: [], env: {}, flags, home: directory, cwd: directory });
    const certificate = await createCertificate();
    const webhook = await startWebhook(toWebhookOptions(config, "flyte"), {
      log: createLogger(config.logger, { write() {} }),
      env: {},
      home: "/",
      certificates: {
        current: () => ({ ...certificate, ca: certificate.cert }),
        onChange: () => () => {},
        close: async () => {},
      },
    });
    const { admission = 0, invalidation = 0, probes = 0 } = webhook.ports;
    return {
      async run(bytes) {
        const input = Buffer.from(bytes);
        const sent = [input.subarray(1)];
        if (input[0] === 0x69) checkAnswer(await sendBytes(invalidation, sent), "canary");
        else if (input[0] === 0x70) checkAnswer(await sendBytes(probes, sent), "canary");
        else checkAnswer(await sendBytes(admission, sent, { tls: true }), "canary");
      },
      async close() {
        await webhook.close({ graceMs: 0 });
        rmSync(directory, { recursive: true });
      },
    };
  },
};
