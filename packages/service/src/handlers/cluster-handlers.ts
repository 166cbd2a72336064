import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { ClusterService } from "@flyte-secrets/idl";
import { callContextOf } from "../rpc/call-context.ts";

/**
 * Flyte's clients request the cluster of a scope before each secret call. It is always this server, at the address that
 * the client itself used. The request is not validated: clients send an empty organization, which the IDL's rules
 * forbid.
 */
export const clusterHandlers: ServiceImpl<typeof ClusterService> = {
  selectCluster: (_, context) => ({ clusterEndpoint: baseUrl(context) }),
};

function baseUrl(context: HandlerContext): string {
  const host = callContextOf(context.values, context.url).authority;
  if (host === "") return "";
  const forwarded = context.requestHeader.get("x-forwarded-proto")?.split(",")[0]?.trim().toLowerCase();
  const scheme = forwarded === "http" || forwarded === "https" ? forwarded : context.url.split(":", 1)[0];
  return `${scheme}://${host}`;
}
