import { base64Decode } from "@bufbuild/protobuf/wire";
import type { NodeRequest } from "@flyte-secrets/http";
import { checkGetQuery } from "../rest/check-get-query.ts";
import type { RestRoute } from "../rest/rest-routes.ts";
import { requestAuthority } from "../rpc/serve-rpc.ts";

/** A message that a request has in its query instead of a body. */
export interface UnaryQuery {
  readonly binary: boolean;
  /** The name of its compression. */
  readonly encoding: string | null;
  /** Throws for a query that is not to be answered, which the Connect library then refuses. */
  read(): Uint8Array;
}

/** The query of Connect's GET. Undefined for one without a known encoding. */
export function toConnectQuery(req: NodeRequest): UnaryQuery | undefined {
  const url = toUrl(req);
  const query = url.searchParams;
  const encoding = query.get("encoding");
  if (encoding !== "json" && encoding !== "proto") return undefined;
  return {
    binary: encoding === "proto",
    encoding: query.get("compression"),
    read() {
      checkGetQuery({ requestMethod: "GET", url: url.href });
      const message = query.get("message") ?? "";
      return query.get("base64") === "1" ? base64Decode(message) : Buffer.from(message);
    },
  };
}

/** The query of a REST route whose requests have no body. */
export function toRestQuery(req: NodeRequest, queryToJson: NonNullable<RestRoute["queryToJson"]>): UnaryQuery {
  return { binary: false, encoding: null, read: () => queryToJson(toUrl(req).searchParams) };
}

/** Whether a request has a body, be it an empty one. */
export function hasBody({ headers }: NodeRequest): boolean {
  return headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
}

function toUrl(req: NodeRequest): URL {
  return new URL(req.url ?? "", `http://${requestAuthority(req)}`);
}
