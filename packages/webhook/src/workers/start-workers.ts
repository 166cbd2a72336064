import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { closeOnce, SecretsError } from "@flyte-secrets/core";
import { loadPrometheus } from "@flyte-secrets/http";
import type { Logger } from "pino";
import type { RunningWebhook } from "../start-webhook.ts";
import type { FromWorker, ToWorker } from "./worker-message.ts";

/**
 * The delay before a worker that ended unexpectedly is replaced. It doubles each time, so that workers that crash at
 * once do not use up the machine.
 */
const FIRST_RESTART_MS = 1_000;
const MAX_RESTART_MS = 30_000;
/** A worker that ran for this long resets the delay. */
const RESTART_RESET_MS = 60_000;

export interface StartWorkersOptions {
  readonly count: number;
  readonly log: Logger;
}

/**
 * Runs this program again as `count` processes that share their ports (Node's cluster), each of which must call
 * `serveAsWorker`. An invalidation that one of them receives is sent to all, and their metrics are added up. A worker
 * that ends by itself, or stops answering, is counted and replaced. When a worker fails to start, all are stopped, and
 * its error is thrown.
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

  const send = (worker: Worker, message: ToWorker) => void (worker.isConnected() && worker.send(message));
  function startWorker(): void {
    const worker = cluster.fork();
    const startedAt = performance.now();
    const watch = watchWorker(worker, log);
    workers.add(worker);
    worker.on("message", (message: FromWorker) => {
      watch.recordMessage();
      onMessage(worker, message, watch);
    });
    worker.once("exit", (code, signal) => {
      watch.stop();
      workers.delete(worker);
      if (closing) return;
      started.reject(new SecretsError("internal", "a worker ended at its start; the log says why"));
      exits.inc();
      if (performance.now() - startedAt >= RESTART_RESET_MS) restartMs = FIRST_RESTART_MS;
      log.error({ worker: worker.id, code, signal, restartMs }, "a worker ended by itself; another takes its place");
      // Not unref'ed: without a worker nothing else keeps this process running.
      const restart = setTimeout(() => {
        restarts.delete(restart);
        startWorker();
      }, restartMs);
      restarts.add(restart);
      restartMs = Math.min(2 * restartMs, MAX_RESTART_MS);
    });
  }
  function onMessage(worker: Worker, message: FromWorker, watch: WorkerWatch): void {
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
        for (const other of workers) if (other !== worker) send(other, { kind: "invalidate", id: message.id });
        break;
      case "metricsWanted": {
        const { number } = message;
        void Promise.all([metrics.clusterMetrics(), own.metrics()]).then(
          (texts) => send(worker, { kind: "metrics", number, text: texts.join("\n") }),
          () => send(worker, { kind: "metrics", number }),
        );
        break;
      }
    }
  }
  async function stopAll(stop: (worker: Worker) => void): Promise<void> {
    closing = true;
    for (const restart of restarts) clearTimeout(restart);
    const ended = [...workers].map((worker) => once(worker, "exit"));
    for (const worker of workers) stop(worker);
    await Promise.all(ended);
  }

  for (let index = 0; index < count; index++) startWorker();
  try {
    const ports = await started.promise;
    return {
      ports,
      close: closeOnce(() => stopAll((worker) => send(worker, { kind: "close" }))),
    };
  } catch (error) {
    await stopAll((worker) => worker.process.kill("SIGKILL"));
    throw error;
  }
}

/** How often a worker is pinged. */
const PING_INTERVAL_MS = 3_000;
/** Unanswered pings after which it is killed: 15 s, half of the time that an API server waits for a webhook. */
const MAX_UNANSWERED = 5;

/** The liveness check of one worker. */
interface WorkerWatch {
  /** Begins to ping the worker, which serves by now. */
  begin(): void;
  /** Records that the worker has sent something. */
  recordMessage(): void;
  stop(): void;
}

/**
 * Kills (SIGKILL) a worker that has left five pings unanswered: one that hangs or is stopped keeps its connections, and
 * the probes, which any worker answers, would never notice. Pings are counted and not time, so that no worker is killed
 * after the machine was suspended.
 */
function watchWorker(worker: Worker, log: Logger): WorkerWatch {
  let unanswered = 0;
  let timer: NodeJS.Timeout | undefined;
  const ping = () => {
    if (unanswered === MAX_UNANSWERED) {
      log.error({ worker: worker.id, pid: worker.process.pid }, "a worker doesn't answer any more; it is killed");
      worker.process.kill("SIGKILL");
    }
    unanswered++;
    if (worker.isConnected()) worker.send({ kind: "ping" });
  };
  return {
    begin() {
      timer ??= setInterval(ping, PING_INTERVAL_MS).unref();
    },
    recordMessage() {
      unanswered = 0;
    },
    stop() {
      clearInterval(timer);
    },
  };
}
