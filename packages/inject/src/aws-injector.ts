import { cleanJoinPath, type Injector, MountRequirement } from "@flyte-secrets/core";
import { unrecognizedMount } from "./mount-requirement.ts";
import { PATH_LEAVES, secretPath } from "./secret-path.ts";
import { SIDECAR_RESOURCES, type SidecarConfig, sidecarEdits } from "./sidecar.ts";

const DEFAULTS: SidecarConfig = {
  sidecarImage: "docker.io/amazon/aws-secrets-manager-secret-sidecar:v0.1.4",
  resources: SIDECAR_RESOURCES,
};

/**
 * AWS Secrets Manager through an init container (spec page 4, AWS): the secret is `<group>:<key>`, its file
 * `/etc/flyte/secrets/<group>/<key>` in lower case. The pod's own identity is what reads it.
 */
export function createAwsInjector(config: SidecarConfig = DEFAULTS): Injector {
  return {
    name: "AWS",
    async inject(request) {
      const { group, key, mountRequirement } = request;
      if (group === "" || key === "") {
        return { injected: false, reason: "AWS Secrets Webhook requires both group and key to be set" };
      }
      if (mountRequirement !== MountRequirement.ANY && mountRequirement !== MountRequirement.FILE) {
        return { injected: false, reason: unrecognizedMount(request) };
      }
      const parts = [group.toLowerCase(), key.toLowerCase()];
      if (secretPath(...parts) === undefined) return { injected: false, reason: PATH_LEAVES };
      const env = [
        { name: "SECRET_ARN", value: `${group.replace(/:+$/, "")}:${key.replace(/^:+/, "")}` },
        { name: "SECRET_FILENAME", value: cleanJoinPath("/", ...parts) },
      ];
      return { injected: true, edits: sidecarEdits(config, { cloud: "aws", mountPath: "/tmp", env }) };
    },
  };
}
