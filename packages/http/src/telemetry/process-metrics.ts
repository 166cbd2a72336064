import { performance } from "node:perf_hooks";
import type { Aggregator, Registry } from "prom-client";
import { loadPrometheus } from "./lazy-libraries.ts";

/**
 * Adds the metrics of the Node process to `registry` that operators need first, under the names that dashboards know.
 * The library's own set also observes every garbage collection, which costs several microseconds an admission; these
 * are read when they are scraped.
 */
export function addProcessMetrics(registry: Registry): void {
  const { Counter, Gauge } = loadPrometheus();
  const registers = [registry];
  const gauge = (name: string, help: string, { read, aggregator }: Reading) =>
    new Gauge({
      name,
      help,
      registers,
      aggregator,
      collect() {
        this.set(read());
      },
    });
  new Counter({
    name: "process_cpu_seconds_total",
    help: "CPU time, in seconds.",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  const startedAt = Math.round(Date.now() / 1000 - process.uptime());
  gauge("process_start_time_seconds", "When the process started, in seconds since 1970.", {
    read: () => startedAt,
    aggregator: "min",
  });
  gauge("process_resident_memory_bytes", "Resident memory.", {
    read: () => process.memoryUsage.rss(),
    aggregator: "sum",
  });
  gauge("nodejs_heap_size_used_bytes", "Used part of the heap.", {
    read: () => process.memoryUsage().heapUsed,
    aggregator: "sum",
  });
  gauge("nodejs_eventloop_utilization", "Share of its life that the event loop was busy.", {
    read: () => performance.eventLoopUtilization().utilization,
    aggregator: "average",
  });
}

interface Reading {
  readonly read: () => number;
  /** How the values of several workers are combined. */
  readonly aggregator: Aggregator;
}

/** A limit of the memory of all requests in flight. */
export interface Budget {
  /** Prefix of the two metrics' names: `flyte_secrets_requests` makes `…_bytes` and `…_limit_bytes`. */
  readonly name: string;
  readonly heldBytes: () => number;
  readonly maxBytes: number;
  /** The setting of the limit. */
  readonly setting: string;
}

/** Adds the used bytes and the limit of a budget to `registry`; those of several workers are summed. */
export function addBudgetMetrics(registry: Registry, { name, heldBytes, maxBytes, setting }: Budget): void {
  const { Gauge } = loadPrometheus();
  new Gauge({
    name: `${name}_bytes`,
    help: `What the requests in flight take up, as ${setting} counts it.`,
    registers: [registry],
    collect() {
      this.set(heldBytes());
    },
  });
  new Gauge({
    name: `${name}_limit_bytes`,
    help: `${setting}: over this, requests give way to each other.`,
    registers: [registry],
  }).set(maxBytes);
}
