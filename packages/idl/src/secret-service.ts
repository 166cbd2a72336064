import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { SecretService as Published } from "../generated/used/flyteidl2/secret/secret_pb.ts";

const { getSecret, listSecrets } = Published.method;
const readOnly = <Method extends object>(method: Method) => ({
  ...method,
  idempotency: MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS,
});
const method = { ...Published.method, getSecret: readOnly(getSecret), listSecrets: readOnly(listSecrets) };

/**
 * Flyte's secret service. Get and List are free of side effects, so that Connect takes them by GET too: Flyte declares
 * that since 2.0.55, and the descriptors that it has published don't have it yet. What reflection serves stays as it
 * was published.
 */
export const SecretService: typeof Published = { ...Published, method, methods: Object.values(method) };
