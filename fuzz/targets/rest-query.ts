import assert from "node:assert/strict";
import { fromJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { SecretService } from "@flyte-secrets/idl";
import { findRestRoute, readQuery } from "@flyte-secrets/service/testing";
import { type FuzzTarget, textOf } from "../target.ts";

const METHODS = ["GET", "PUT", "POST", "DELETE", "PATCH"];

/** A REST request's path and query. */
export const target: FuzzTarget = {
  seeds: [
    "/secrets/api/v1?organization=flyte&limit=10&token=x&per_cluster_tokens[a]=b",
    "/secrets/api/v1/name/a%2Fb?id.domain=d&id.project=p&id.organization=flyte",
    "/secrets/api/v1/name/%E0%A4?id.name=x&include_system_secrets=true",
  ],
  dictionary: [
    "id.",
    "id.name=",
    "id.domain=",
    "[",
    "]",
    "&",
    "=",
    "%5B",
    "__proto__",
    "constructor.prototype",
    "perClusterTokens[__proto__]=",
    "limit=",
    "true",
    ".",
    "%00",
    "+",
  ],
  open: () => ({
    run(bytes) {
      const [path = "", query = ""] = textOf(bytes).split("?", 2);
      for (const method of METHODS) findRestRoute(path, method);
      for (const { input } of [SecretService.method.listSecrets, SecretService.method.getSecret]) {
        try {
          const message = readQuery(input, new URLSearchParams(query));
          fromJson(input, JSON.parse(JSON.stringify(message)), { ignoreUnknownFields: true });
        } catch (error) {
          assert(error instanceof ConnectError && error.code === Code.InvalidArgument, error as Error);
        }
      }
    },
  }),
};
