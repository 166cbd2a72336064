import type { Worker } from "node:cluster";
import type { Logger } from "pino";

/** How often a worker is asked whether it still answers. */
const EVERY_MS = 3_000;
/** Questions without an answer, after which it is ended: half of the 30 s that an API server waits for a webhook. */
const UNANSWERED = 5;

/** Watches over one worker. */
export interface WorkerWatch {
  /** It serves: from now on it is asked. */
  begin(): void;
  /** Something has come from it. */
  hear(): void;
  stop(): void;
}

/**
 * Ends (SIGKILL) a worker that has left five questions unanswered: one that hangs or is stopped holds its connections,
 * and the probes, which any worker answers, would never notice. Questions are counted and not time, so that a machine
 * that was asleep ends nobody.
 */
export function watchWorker(worker: Worker, log: Logger): WorkerWatch {
  let unanswered = 0;
  let timer: NodeJS.Timeout | undefined;
  const ask = () => {
    if (unanswered === UNANSWERED) {
      log.error({ worker: worker.id, pid: worker.process.pid }, "a worker doesn't answer any more; it is ended");
      worker.process.kill("SIGKILL");
    }
    unanswered++;
    if (worker.isConnected()) worker.send({ kind: "ping" });
  };
  return {
    begin() {
      timer ??= setInterval(ask, EVERY_MS).unref();
    },
    hear() {
      unanswered = 0;
    },
    stop() {
      clearInterval(timer);
    },
  };
}
