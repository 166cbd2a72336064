import type { Worker } from "node:cluster";
import type { Logger } from "pino";

/** How often a worker is pinged. */
const PING_INTERVAL_MS = 3_000;
/** Unanswered pings after which it is killed: 15 s, half of the time that an API server waits for a webhook. */
const MAX_UNANSWERED = 5;

/** The liveness check of one worker. */
export interface WorkerWatch {
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
export function watchWorker(worker: Worker, log: Logger): WorkerWatch {
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
