import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { closeOnce, SecretsError } from "@flyte-secrets/core";
import { loadPrometheus } from "@flyte-secrets/http";
import type { Logger } from "pino";
import type { RunningWebhook } from "../start-webhook.ts";
import { type WorkerWatch, watchWorker } from "./watch-worker.ts";
import type { FromWorker, ToWorker } from "./worker-message.ts";

/** Before a worker that ended by itself is replaced, doubled each time: those that can't live must not take the machine with them. */
const FIRST_RESTART_MS = 1_000;
const LAST_RESTART_MS = 30_000;
/** A worker that has lived so long counts as one that can. */
const SETTLED_MS = 60_000;

export interface StartWorkersOptions {
  readonly count: number;
  readonly log: Logger;
}

/**
 * Runs this program again as `count` processes that share their ports (Node's cluster), each of which must come to `serveAsWorker`.
 * A change that one is told of reaches all, and metrics are summed up. One that ends by itself, or doesn't answer any
 * more, is counted and replaced. Throws, with none left, what the first of them to fail at its start failed with.
 */
export async function startWorkers({
  count,
  log,
}: StartWorkersOptions): Promise<Pick<RunningWebhook, "ports" | "close">> {
  const workers = new Set<Worker>();
  const { AggregatorRegistry, Counter, Registry } = loadPrometheus();
  const metrics = new AggregatorRegistry();
  const own = new Registry();
  const exits = new Counter({
    name: "flyte_secrets_worker_exits_total",
    help: "Worker processes that ended by themselves, or that were ended because they did not answer any more.",
    registers: [own],
  });
  const started = Promise.withResolvers<RunningWebhook["ports"]>();
  const restarts = new Set<NodeJS.Timeout>();
  let serving = 0;
  let closing = false;
  let restartMs = FIRST_RESTART_MS;

  const tell = (worker: Worker, message: ToWorker) => void (worker.isConnected() && worker.send(message));
  function fork(): void {
    const worker = cluster.fork();
    const forked = performance.now();
    const watch = watchWorker(worker, log);
    workers.add(worker);
    worker.on("message", (message: FromWorker) => {
      watch.hear();
      hear(worker, message, watch);
    });
    worker.once("exit", (code, signal) => {
      watch.stop();
      workers.delete(worker);
      if (closing) return;
      started.reject(new SecretsError("internal", "a worker ended at its start; the log says why"));
      exits.inc();
      if (performance.now() - forked >= SETTLED_MS) restartMs = FIRST_RESTART_MS;
      log.error({ worker: worker.id, code, signal, restartMs }, "a worker ended by itself; another takes its place");
      // It holds this process, which may have no other worker left that does.
      const restart = setTimeout(() => {
        restarts.delete(restart);
        fork();
      }, restartMs);
      restarts.add(restart);
      restartMs = Math.min(2 * restartMs, LAST_RESTART_MS);
    });
  }
  function hear(worker: Worker, message: FromWorker, watch: WorkerWatch): void {
    switch (message.kind) {
      case "alive":
        break;
      case "serving":
        watch.begin();
        serving++;
        if (serving === count) started.resolve(message.ports);
        break;
      case "failed":
        log.error({ worker: worker.id, reason: message.message }, "a worker could not start");
        started.reject(new SecretsError(message.code, message.message));
        worker.process.kill("SIGKILL");
        break;
      case "invalidated":
        for (const other of workers) if (other !== worker) tell(other, { kind: "invalidate", id: message.id });
        break;
      case "metricsWanted": {
        const { number } = message;
        void Promise.all([metrics.clusterMetrics(), own.metrics()]).then(
          (texts) => tell(worker, { kind: "metrics", number, text: texts.join("\n") }),
          () => tell(worker, { kind: "metrics", number }),
        );
        break;
      }
    }
  }
  async function end(stop: (worker: Worker) => void): Promise<void> {
    closing = true;
    for (const restart of restarts) clearTimeout(restart);
    const ended = [...workers].map((worker) => once(worker, "exit"));
    for (const worker of workers) stop(worker);
    await Promise.all(ended);
  }

  for (let index = 0; index < count; index++) fork();
  try {
    const ports = await started.promise;
    return {
      ports,
      close: closeOnce(() => end((worker) => tell(worker, { kind: "close" }))),
    };
  } catch (error) {
    await end((worker) => worker.process.kill("SIGKILL"));
    throw error;
  }
}
