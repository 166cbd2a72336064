import { Code } from "@connectrpc/connect";
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import { loadPrometheus, type Span } from "@flyte-secrets/http";
import type { Histogram, Registry } from "prom-client";

/** A call that has ended. */
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
  // The library's lookup of a child by its labels costs more than the observation.
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

/**
 * Attributes and status of a call's span, by OpenTelemetry's conventions
 * (https://opentelemetry.io/docs/specs/semconv/rpc/).
 */
export function toSpanResult({ rpcPath, protocol, code }: ObservedCall): Parameters<Span["end"]>[0] {
  const [, service = "", method = ""] = rpcPath.split("/");
  return {
    attributes: { "rpc.service": service, "rpc.method": method, ...protocolAttributes(protocol, code) },
    failed: FAULTS.has(code),
  };
}

/** Codes of failures that the caller did not cause. */
const FAULTS = new Set(["unknown", "deadline_exceeded", "unimplemented", "internal", "unavailable", "data_loss"]);

function protocolAttributes(protocol: ObservedCall["protocol"], code: string): Record<string, string | number> {
  switch (protocol) {
    case "grpc":
    case "grpc_web":
      // Connect has no code for success; gRPC's is 0.
      return {
        "rpc.system": protocol,
        "rpc.grpc.status_code": codeFromString(code) ?? (code === "ok" ? 0 : Code.Unknown),
      };
    case "connect":
    case "rest":
      return { "rpc.system": "connect_rpc", ...(code !== "ok" && { "rpc.connect_rpc.error_code": code }) };
  }
}
