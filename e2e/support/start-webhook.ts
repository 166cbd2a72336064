import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCertificate } from "@flyte-secrets/testkit";
import type { WebhookOrder } from "./webhook-program.ts";

/** A webhook as a process of its own. */
export interface WebhookProcess {
  readonly port: number;
  readonly ca: string;
  readonly probes: number;
  readonly process: ChildProcess;
  /** Resident memory in MiB (Linux's VmRSS). */
  memoryMib(): number;
  /** Sends SIGTERM and waits for the end; the exit code. */
  stop(): Promise<number | null>;
}

/**
 * Starts the webhook on free ports, with delivery Inline over an empty embedded store, unless `flags` say otherwise.
 */
export async function startWebhookProcess(
  options: { flags?: Readonly<Record<string, string>>; graceMs?: number; nodeOptions?: string[] } = {},
): Promise<WebhookProcess> {
  const home = mkdtempSync(join(tmpdir(), "flyte-secrets-webhook-"));
  const certificate = await createCertificate();
  const flags = {
    "webhook.listenPort": "0",
    "webhook.cacheInvalidationPort": "0",
    "webhook.embeddedSecretManagerConfig.delivery": "Inline",
    "executor.healthProbeBindAddress": "127.0.0.1:0",
    "executor.metricsBindAddress": "",
    // Of taskPod.
    "webhook.scopeBinding.domains": "d",
    ...options.flags,
  };
  const child = fork(join(import.meta.dirname, "webhook-program.ts"), { execArgv: options.nodeOptions ?? [] });
  const ended = once(child, "exit");
  child.send({ home, flags, certificate, graceMs: options.graceMs ?? 0 } satisfies WebhookOrder);
  const [ports] = await Promise.race([once(child, "message"), ended.then(() => Promise.reject(new Error("it ended")))]);
  return {
    port: ports.admission,
    probes: ports.probes,
    ca: certificate.cert,
    process: child,
    memoryMib() {
      const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1];
      return Math.round(Number(kib) / 1024);
    },
    async stop() {
      child.kill("SIGTERM");
      const [exitCode] = await ended;
      rmSync(home, { recursive: true, force: true });
      return exitCode;
    },
  };
}
