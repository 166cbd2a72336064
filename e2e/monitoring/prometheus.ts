import { spawnSync } from "node:child_process";
import type { Requirement } from "../support/requirement.ts";

/** Prometheus and promtool of the machine: Debian's package `prometheus` brings both. */
export function requirePrometheus(): Requirement {
  const isThere = ["promtool", "prometheus"].every((program) => spawnSync(program, ["--version"]).status === 0);
  if (isThere) return { missing: false };
  return {
    missing: true,
    what: "promtool and prometheus",
    enable: "apt-get install --no-install-recommends prometheus",
  };
}
