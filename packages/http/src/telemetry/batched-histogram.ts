import type { Registry } from "prom-client";
import { loadPrometheus } from "./lazy-libraries.ts";

export interface HistogramDescription {
  readonly name: string;
  readonly help: string;
  readonly labels: Readonly<Record<string, string>>;
}

const BATCH = 256;

/**
 * A Prometheus histogram, with the library's default buckets, of one set of labels. What is observed is handed to the library
 * many at a time, and when somebody reads it: one at a time costs several times as much between the rest of a request.
 */
export function createBatchedHistogram(
  registry: Registry,
  { name, help, labels }: HistogramDescription,
): (value: number) => void {
  const batch: number[] = [];
  const { Histogram } = loadPrometheus();
  const histogram = new Histogram({
    name,
    help,
    labelNames: Object.keys(labels),
    registers: [registry],
    collect: () => flush(),
  }).labels(labels);
  const flush = () => {
    for (const value of batch) histogram.observe(value);
    batch.length = 0;
  };
  return (value) => {
    if (batch.push(value) >= BATCH) flush();
  };
}
