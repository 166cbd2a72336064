import { MountRequirement, type SecretRequest } from "@flyte-secrets/core";
import { type Injector, SECRETS_DIRECTORY } from "./injector.ts";
import {
  describeUnknownMount,
  type GroupNames,
  PATH_LEAVES,
  secretPath,
  validateGroup,
  validatePath,
  validateVersion,
} from "./request-fields.ts";
import {
  HOME,
  quoteForShell,
  SIDECAR_RESOURCES,
  type SidecarConfig,
  sidecarEdits,
  validateScriptText,
} from "./sidecar.ts";

const DEFAULTS: SidecarConfig = {
  sidecarImage: "gcr.io/google.com/cloudsdktool/cloud-sdk:alpine",
  resources: SIDECAR_RESOURCES,
};

/** Room for `projects/`, `/secrets/` and `/locations/` with the longest project and secret names (255 characters). */
const GROUPS: GroupNames = { what: "the resource name of a secret of Google", maxLength: 512 };

/**
 * Google Secret Manager through an init container: the secret is version `group_version` of `group`, its file
 * `/etc/flyte/secrets/<group>/<version>` in lower case. The init container reads it with the pod's own identity (I-25).
 */
export function createGcpInjector(config: SidecarConfig = DEFAULTS): Injector {
  return {
    name: "GCP",
    refersTo: ({ group, groupVersion }) =>
      group === ""
        ? { kind: "nothing" }
        : { kind: "group", group, unclear: validatePath(group) ?? validateVersion(groupVersion) },
    async inject(request) {
      const { group, groupVersion } = request;
      const reason = validateRequest(request);
      if (reason !== undefined) return { injected: false, reason };
      const path = secretPath(group.toLowerCase(), groupVersion.toLowerCase());
      if (path === undefined) return { injected: false, reason: PATH_LEAVES };
      const file = `${SECRETS_DIRECTORY}/${path}`;
      const command = ["sh", "-ec", pullScript(group, groupVersion, file)];
      const edits = sidecarEdits(config, { cloud: "gcp", mountPath: SECRETS_DIRECTORY, command });
      return { injected: true, edits, deferredRead: { secret: `${group}/versions/${groupVersion}`, file } };
    },
  };
}

/**
 * Tries the group as a resource name (`projects/<project>/secrets/<name>`), then as a name in gcloud's current project.
 */
function pullScript(group: string, version: string, file: string): string {
  const directory = quoteForShell(file.slice(0, file.lastIndexOf("/")));
  const out = quoteForShell(`--out-file=${file}`);
  return `${HOME}
mkdir -p ${directory}
gcloud secrets versions access ${quoteForShell(`${group}/versions/${version}`)} ${out} ||
  gcloud secrets versions access ${quoteForShell(version)} ${quoteForShell(`--secret=${group}`)} ${out}
chmod +rX ${directory} ${quoteForShell(file)}
`;
}

function validateRequest(request: SecretRequest): string | undefined {
  const { group, groupVersion, mountRequirement } = request;
  if (group === "" || groupVersion === "") return "GCP Secrets Webhook requires both group and group_version to be set";
  if (mountRequirement !== MountRequirement.ANY && mountRequirement !== MountRequirement.FILE) {
    return describeUnknownMount(request);
  }
  return (
    validateGroup(request, GROUPS) ??
    validateScriptText("group", group) ??
    validateScriptText("group_version", groupVersion)
  );
}
