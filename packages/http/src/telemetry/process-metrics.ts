import { performance } from "node:perf_hooks";
import type { Aggregator, Registry } from "prom-client";
import { loadPrometheus } from "./lazy-libraries.ts";

/**
 * Adds to `registry` what operators look at first of a Node process, under the names that dashboards know. The library's own
 * set also listens to every garbage collection, which costs several microseconds an admission; this one is read when asked for.
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
  /** How the workers of one webhook are added up. */
  readonly aggregator: Aggregator;
}
