import { createHash } from "node:crypto";
import { encodeSecretId, type SecretId } from "@flyte-secrets/core";

/** A Secret of Kubernetes as Flyte's own service writes one, without what the API server adds. */
export function flytesSecret(secret: SecretId, value: string | Buffer) {
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: "Opaque",
    metadata: {
      name: createHash("md5").update(encodeSecretId(secret)).digest("hex"),
      labels: {
        "app.flyte.org/managed": "true",
        ...(secret.domain && { "app.flyte.org/domain": secret.domain }),
        ...(secret.project && { "app.flyte.org/project": secret.project }),
      },
    },
    data: { [encodeSecretId(secret)]: Buffer.from(value).toString("base64") },
  };
}
