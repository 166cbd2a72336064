import { MountRequirement, type SecretRequest, trimEndOf } from "@flyte-secrets/core";
import { cleanJoinPath } from "../pod/clean-join-path.ts";
import { type Injector, SECRETS_DIRECTORY } from "./injector.ts";
import { describeUnknownMount, type GroupNames, PATH_LEAVES, secretPath, validateGroup } from "./request-fields.ts";
import { SIDECAR_RESOURCES, type SidecarConfig, sidecarEdits } from "./sidecar.ts";

const DEFAULTS: SidecarConfig = {
  sidecarImage: "docker.io/amazon/aws-secrets-manager-secret-sidecar:v0.1.4",
  resources: SIDECAR_RESOURCES,
};

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html */
const GROUPS: GroupNames = { what: "the name or ARN of a secret of AWS", maxLength: 2_048 };

/**
 * AWS Secrets Manager through an init container: the secret is `<group>:<key>`, its file
 * `/etc/flyte/secrets/<group>/<key>` in lower case. The init container reads it with the pod's own identity (I-24).
 */
export function createAwsInjector(config: SidecarConfig = DEFAULTS): Injector {
  return {
    name: "AWS",
    refersTo: (request) =>
      request.group === "" || request.key === ""
        ? { kind: "nothing" }
        : { kind: "group", group: trimEndOf(request.group, ":"), whole: secretOf(request) },
    async inject(request) {
      const { group, key, mountRequirement } = request;
      if (group === "" || key === "") {
        return { injected: false, reason: "AWS Secrets Webhook requires both group and key to be set" };
      }
      if (mountRequirement !== MountRequirement.ANY && mountRequirement !== MountRequirement.FILE) {
        return { injected: false, reason: describeUnknownMount(request) };
      }
      const reason = validateGroup(request, GROUPS);
      if (reason !== undefined) return { injected: false, reason };
      const parts = [group.toLowerCase(), key.toLowerCase()];
      if (secretPath(...parts) === undefined) return { injected: false, reason: PATH_LEAVES };
      const secret = secretOf(request);
      const path = cleanJoinPath("/", ...parts);
      const env = [
        { name: "SECRET_ARN", value: secret },
        { name: "SECRET_FILENAME", value: path },
      ];
      const edits = sidecarEdits(config, { cloud: "aws", mountPath: "/tmp", env });
      return { injected: true, edits, deferredRead: { secret, file: SECRETS_DIRECTORY + path } };
    },
  };
}

function secretOf({ group, key }: SecretRequest): string {
  return `${trimEndOf(group, ":")}:${key.replace(/^:+/, "")}`;
}
