import { MountRequirement, type SecretRequest } from "@flyte-secrets/core";
import { type Injector, SECRETS_DIRECTORY } from "./injector.ts";
import {
  type GroupNames,
  groupFault,
  PATH_LEAVES,
  pathFault,
  secretPath,
  unrecognizedMount,
  versionFault,
} from "./request-fields.ts";
import { HOME, SIDECAR_RESOURCES, type SidecarConfig, shellFault, shellWord, sidecarEdits } from "./sidecar.ts";

const DEFAULTS: SidecarConfig = {
  sidecarImage: "gcr.io/google.com/cloudsdktool/cloud-sdk:alpine",
  resources: SIDECAR_RESOURCES,
};

/** `projects/`, `/secrets/` and `/locations/` with names of 255 characters at the most. */
const GROUPS: GroupNames = { what: "the resource name of a secret of Google", maxLength: 512 };

/**
 * Google Secret Manager through an init container: the secret is version `group_version` of `group`, its
 * file `/etc/flyte/secrets/<group>/<version>` in lower case. The pod's own identity is what reads it (I-25).
 */
export function createGcpInjector(config: SidecarConfig = DEFAULTS): Injector {
  return {
    name: "GCP",
    refersTo: ({ group, groupVersion }) =>
      group === ""
        ? { kind: "nothing" }
        : { kind: "group", group, unclear: pathFault(group) ?? versionFault(groupVersion) },
    async inject(request) {
      const { group, groupVersion } = request;
      const fault = requestFault(request);
      if (fault !== undefined) return { injected: false, reason: fault };
      const path = secretPath(group.toLowerCase(), groupVersion.toLowerCase());
      if (path === undefined) return { injected: false, reason: PATH_LEAVES };
      const file = `${SECRETS_DIRECTORY}/${path}`;
      const command = ["sh", "-ec", pullScript(group, groupVersion, file)];
      const edits = sidecarEdits(config, { cloud: "gcp", mountPath: SECRETS_DIRECTORY, command });
      return { injected: true, edits, readLater: { secret: `${group}/versions/${groupVersion}`, file } };
    },
  };
}

/** The group is tried as a resource name, `projects/<project>/secrets/<name>`, and then as a name in gcloud's own project. */
function pullScript(group: string, version: string, file: string): string {
  const directory = shellWord(file.slice(0, file.lastIndexOf("/")));
  const out = shellWord(`--out-file=${file}`);
  return `${HOME}
mkdir -p ${directory}
gcloud secrets versions access ${shellWord(`${group}/versions/${version}`)} ${out} ||
  gcloud secrets versions access ${shellWord(version)} ${shellWord(`--secret=${group}`)} ${out}
chmod +rX ${directory} ${shellWord(file)}
`;
}

function requestFault(request: SecretRequest): string | undefined {
  const { group, groupVersion, mountRequirement } = request;
  if (group === "" || groupVersion === "") return "GCP Secrets Webhook requires both group and group_version to be set";
  if (mountRequirement !== MountRequirement.ANY && mountRequirement !== MountRequirement.FILE) {
    return unrecognizedMount(request);
  }
  return groupFault(request, GROUPS) ?? shellFault("group", group) ?? shellFault("group_version", groupVersion);
}
