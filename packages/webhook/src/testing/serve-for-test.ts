import type { ServingCertificate } from "@flyte-secrets/certificates";
import {
  type LookupResult,
  lookupIds,
  type ScopeLookup,
  type SecretLookup,
  SecretValue,
  withoutGroups,
} from "@flyte-secrets/core";
import { createInlineDelivery, createMutator, type Mutator } from "@flyte-secrets/inject";
import { createCertificate } from "@flyte-secrets/testkit";
import { Registry } from "prom-client";
import { onTestFinished } from "vitest";
import { createManagers } from "../admission/create-managers.ts";
import { createAdmissionHandler } from "../admission/handler.ts";
import { createScopeGuard } from "../binding/scope-guard.ts";
import { startEndpoints } from "../endpoints/start-endpoints.ts";
import { createWebhookMetrics } from "../webhook-metrics.ts";
import type { Target } from "./post-review.ts";
import { testLogger } from "./test-logger.ts";
import { webhookOptions } from "./webhook-options.ts";

export interface TestWebhook extends Target {
  readonly probes: number;
  /** What it serves with at first. */
  readonly first: ServingCertificate;
  logged(): string;
  /** Serves with another certificate from now on. */
  renew(certificate: ServingCertificate): void;
  close(options: { graceMs: number; finishMs: number }): Promise<void>;
}

export interface TestWebhookOptions {
  readonly lookup?: SecretLookup;
  readonly mutator?: Pick<Mutator, "computeChange">;
  /** The lowest level that is logged. Default: debug. */
  readonly logLevel?: "debug" | "error";
  readonly readiness?: readonly (() => unknown)[];
  /** There from when the listeners are being opened. */
  readonly renewedMeanwhile?: ServingCertificate;
}

/** A lookup in which every key has its own name as value, at project scope. */
const echo: ScopeLookup = {
  async find(scope, key): Promise<LookupResult> {
    const [{ id, level } = { id: { ...scope, name: key }, level: "project" as const }] = lookupIds(scope, key);
    return { found: true, id, level, value: SecretValue.fromText(`value of ${key}`), attempts: [] };
  },
};
export const ECHO_LOOKUP: SecretLookup = withoutGroups(echo, "Echo");

/** The webhook on free ports, with delivery Inline and the Embedded manager, until the test ends. */
export async function serveForTest(options: TestWebhookOptions = {}): Promise<TestWebhook> {
  const { admission: deciding, endpoints } = webhookOptions("/", {
    endpoints: { healthProbeBindAddress: "127.0.0.1:0" },
  });
  const lines: string[] = [];
  const log = testLogger({ write: (line) => void lines.push(line) }, options.logLevel);
  const registry = new Registry();
  const mutator =
    options.mutator ??
    createMutator({
      managers: createManagers(deciding, {
        lookup: options.lookup ?? ECHO_LOOKUP,
        global: { readVariable: () => undefined, readFile: () => undefined },
      }),
      secretEnvVarPrefix: "_UNION_",
      envVarNaming: "raw",
      delivery: createInlineDelivery(),
    });
  const metrics = createWebhookMetrics(registry);
  let sha256 = "";
  const admission = createAdmissionHandler({
    servedCertificate: () => sha256,
    mutator,
    scopeGuard: createScopeGuard({ binding: deciding.scopeBinding, organization: "flyte" }),
    warnOnly: false,
    timeoutMs: 10_000,
    maxBodyBytes: deciding.maxBodyBytes,
    telemetry: { log, metrics },
  });
  const { cert, key } = await createCertificate();
  let certificate: ServingCertificate = { cert, key, ca: cert };
  const listeners = new Set<() => void>();
  const renew = (next: ServingCertificate) => {
    certificate = next;
    for (const listener of listeners) listener();
  };
  const served = await startEndpoints({
    endpoints,
    admission,
    onServed: (fingerprint) => {
      sha256 = fingerprint;
    },
    observer: metrics.requests,
    certificates: {
      current() {
        const now = certificate;
        const { renewedMeanwhile: next } = options;
        if (next !== undefined && next !== now) queueMicrotask(() => renew(next));
        return now;
      },
      onChange(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
      async close() {},
    },
    invalidation: { invalidate() {} },
    readiness: options.readiness ?? [],
    telemetry: { log, registry },
  });
  onTestFinished(() => served.close({ graceMs: 0, finishMs: 0 }));
  return {
    port: served.ports.admission ?? 0,
    probes: served.ports.probes ?? 0,
    ca: cert,
    first: { cert, key, ca: cert },
    logged: () => lines.join(""),
    renew,
    close: (limits) => served.close(limits),
  };
}
