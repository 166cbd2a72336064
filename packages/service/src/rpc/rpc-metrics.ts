import { loadPrometheus } from "@flyte-secrets/http";
import type { Histogram, Registry } from "prom-client";

/** A call that is over. */
export interface ObservedCall {
  /** `/package.Service/Method`. */
  readonly rpcPath: string;
  readonly protocol: "connect" | "grpc" | "grpc_web" | "rest";
  /** `ok`, or Connect's name of the code it failed with. */
  readonly code: string;
  readonly tookMs: number;
}

/** Counts and times the calls of the service: one histogram, whose `_count` is the number of calls. */
export function createRpcMetrics(registry: Registry): (call: ObservedCall) => void {
  const { Histogram } = loadPrometheus();
  const labelNames = ["rpc_service", "rpc_method", "protocol", "code"] as const;
  const duration = new Histogram({
    name: "rpc_server_duration_seconds",
    help: "Time from a call's headers to the end of its answer, by service, method, protocol and Connect's code.",
    labelNames: [...labelNames],
    registers: [registry],
  });
  // To find a child by its labels costs the library more than to observe with it.
  const children = new Map<string, Histogram.Internal<(typeof labelNames)[number]>>();
  return ({ rpcPath, protocol, code, tookMs }) => {
    const key = `${rpcPath} ${protocol} ${code}`;
    let child = children.get(key);
    if (child === undefined) {
      const [, service = "", method = ""] = rpcPath.split("/");
      child = duration.labels(service, method, protocol, code);
      children.set(key, child);
    }
    child.observe(tookMs / 1000);
  };
}
