import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { startServe } from "@flyte-secrets/testkit";
import { IMAGE_ARGS, inFolder, startAdmissionServer } from "./admission.ts";
import { prepareAdmission } from "./admission-case.ts";
import { runH2load } from "./h2load.ts";
import { residentMib } from "./process.ts";
import { buildRequest, sendOnce } from "./rpc-load.ts";
import type { Row } from "./table.ts";

const MINUTES = Number(process.env.BENCH_MEMORY_MINUTES ?? "60");
const SAMPLES = 60;
/** Of each kind. A small part of what one process can do, so that the machine's other work decides nothing. */
const PER_SECOND = 100;

/**
 * Resident memory of the service and of the webhook, as the image starts them, under a steady load over BENCH_MEMORY_MINUTES
 * (60): a hundred gets a second over JSON and as many over gRPC, and a hundred admissions a second.
 */
export async function benchMemory(): Promise<Row[]> {
  return inFolder(async ({ folder, tls }) => {
    await using opened = new AsyncDisposableStack();
    const serve = await startServe({ env: { NODE_OPTIONS: IMAGE_ARGS.join(" ") } });
    opened.defer(async () => void (await serve.close()));
    const what = { secrets: 3, level: "project", delivery: "SecretRef" } as const;
    const { directory, reviewFile } = await prepareAdmission(folder, what, "memory");
    const server = { kind: "ours", directory, delivery: what.delivery } as const;
    const webhook = await startAdmissionServer({ server, workers: 1, tls }, IMAGE_ARGS);
    opened.defer(() => webhook.close());

    const steady = { connections: 4, seconds: MINUTES * 60, perSecond: PER_SECOND };
    const get = { url: serve.endpoint, token: serve.token, call: "get", name: "target-0", ...steady } as const;
    await sendOnce({ ...get, protocol: "connect-json", call: "create", name: "target" });
    const loads = [
      ...(["connect-json", "grpc"] as const).map((protocol) => {
        const { path, headers, body } = buildRequest({ ...get, protocol }, 0);
        return { url: serve.endpoint + path, http: protocol === "grpc" ? "2" : "1.1", headers, body } as const;
      }),
      {
        url: webhook.url,
        http: "1.1",
        headers: { "content-type": "application/json" },
        body: readFileSync(reviewFile),
      } as const,
    ].map((load) => runH2load({ ...load, ...steady }));
    const rows: Row[] = [];
    const sample = (n: number) =>
      rows.push({
        "after, min": (n * MINUTES) / SAMPLES,
        "serve, MiB": residentMib(serve.process.pid ?? 0),
        "webhook, MiB": residentMib(webhook.pid),
      });
    sample(0);
    for (let n = 1; n <= SAMPLES; n++) {
      await Promise.race([delay((MINUTES * 60_000) / SAMPLES), endEarly(loads)]);
      sample(n);
    }
    const results = await Promise.all(loads);
    const failed = results.reduce((sum, result) => sum + result.failed, 0);
    const answered = results.reduce((sum, result) => sum + result.answered, 0);
    return rows.map((row) => ({ ...row, "answered in all": answered, failed }));
  });
}

/** Rejects as soon as one of them fails, and else never ends. */
function endEarly(loads: readonly Promise<unknown>[]): Promise<never> {
  return new Promise((_, reject) => {
    for (const load of loads) load.catch(reject);
  });
}
