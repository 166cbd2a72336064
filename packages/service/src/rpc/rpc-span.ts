import { Code } from "@connectrpc/connect";
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import type { TracedWork } from "@flyte-secrets/http";
import type { ObservedCall } from "./rpc-metrics.ts";

/** What the span of a call says, in OpenTelemetry's words (https://opentelemetry.io/docs/specs/semconv/rpc/). */
export function spanResult({ rpcPath, protocol, code }: ObservedCall): Parameters<TracedWork["end"]>[0] {
  const [, service = "", method = ""] = rpcPath.split("/");
  return {
    attributes: { "rpc.service": service, "rpc.method": method, ...protocolAttributes(protocol, code) },
    failed: FAULTS.has(code),
  };
}

/** What isn't the caller's doing. */
const FAULTS = new Set(["unknown", "deadline_exceeded", "unimplemented", "internal", "unavailable", "data_loss"]);

function protocolAttributes(protocol: ObservedCall["protocol"], code: string): Record<string, string | number> {
  switch (protocol) {
    case "grpc":
    case "grpc_web":
      // Connect has no code for what went well; gRPC's is 0.
      return {
        "rpc.system": protocol,
        "rpc.grpc.status_code": codeFromString(code) ?? (code === "ok" ? 0 : Code.Unknown),
      };
    case "connect":
    case "rest":
      return { "rpc.system": "connect_rpc", ...(code !== "ok" && { "rpc.connect_rpc.error_code": code }) };
  }
}
