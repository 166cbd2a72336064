import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeOnce } from "@flyte-secrets/core";
import { type ListenerLimits, listen, type Tracing } from "@flyte-secrets/http";
import { type EmbeddedStore, openEmbeddedStore } from "@flyte-secrets/store";
import { pino } from "pino";
import { onTestFinished } from "vitest";
import { secretService } from "../secret-service.ts";
import type { ServiceConfig } from "../service-options.ts";

export interface TestServiceOptions {
  readonly config?: Partial<ServiceConfig>;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly limits?: Partial<ListenerLimits>;
  readonly tracing?: Tracing;
}

export interface TestService {
  readonly url: string;
  readonly port: number;
  readonly store: EmbeddedStore;
  /** The store's data directory. */
  readonly directory: string;
  /** Every log line so far, at trace level. */
  readonly log: Record<string, unknown>[];
  close(graceMs?: number): Promise<void>;
}

/** The service over a new embedded store on a real listener, until the test is over. */
export async function startTestService({
  config,
  tls,
  limits,
  tracing,
}: TestServiceOptions = {}): Promise<TestService> {
  const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-service-"));
  const log: Record<string, unknown>[] = [];
  const logger = pino({ level: "trace" }, { write: (line: string) => void log.push(JSON.parse(line)) });
  const store = await openEmbeddedStore({ directory, clusterName: "one", log: logger });
  const service = secretService({
    store,
    config: { organization: "flyte", auth: { mode: "none" }, webhookURL: "", ...config },
    telemetry: { log: logger, tracing },
  });
  const listener = await listen({
    handler: service.handler,
    host: "127.0.0.1",
    port: 0,
    ...(tls && { tls }),
    ...(limits && { limits }),
  });
  const close = closeOnce(async (graceMs: number = 1_000) => {
    await Promise.all([service.close(), listener.close({ graceMs })]);
    await store.close();
  });
  onTestFinished(async () => {
    await close(0);
    rmSync(directory, { recursive: true, force: true });
  });
  const { port } = listener;
  return { url: `${tls ? "https" : "http"}://127.0.0.1:${port}`, port, store, directory, log, close };
}
