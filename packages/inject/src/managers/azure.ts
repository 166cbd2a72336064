import { MountRequirement, type SecretRequest, trimEndOf } from "@flyte-secrets/core";
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
  sidecarImage: "mcr.microsoft.com/azure-cli:cbl-mariner2.0",
  resources: SIDECAR_RESOURCES,
};

/** `https://` and the hosts of all clouds, a vault's name of 24 and a secret's of 127 characters, and a version. */
const GROUPS: GroupNames = { what: "the URI of a secret in Azure Key Vault", maxLength: 512 };

/**
 * Azure Key Vault through an init container: the group is the secret's URI, its file
 * `/etc/flyte/secrets/<last segment>`, with `/<version>` where a version is asked for, in lower case. The pod's own
 * workload identity is what reads it (I-25).
 */
export function createAzureInjector(config: SidecarConfig = DEFAULTS): Injector {
  return {
    name: "Azure",
    refersTo({ group, groupVersion }) {
      const uri = trimEndOf(group, "/");
      if (uri === "") return { kind: "nothing" };
      return {
        kind: "group",
        group: uri,
        unclear: pathFault(uri.replace(/^https:\/\//, "")) ?? versionFault(groupVersion),
      };
    },
    async inject(request) {
      const uri = trimEndOf(request.group, "/");
      const fault = requestFault(request, uri);
      if (fault !== undefined) return { injected: false, reason: fault };
      const path = secretPath(uri.slice(uri.lastIndexOf("/") + 1).toLowerCase(), request.groupVersion.toLowerCase());
      if (path === undefined) return { injected: false, reason: PATH_LEAVES };
      const id = request.groupVersion === "" ? uri : `${uri}/${request.groupVersion}`;
      const file = `${SECRETS_DIRECTORY}/${path}`;
      const command = ["sh", "-ec", pullScript(id, file)];
      const edits = sidecarEdits(config, { cloud: "azure", mountPath: SECRETS_DIRECTORY, command });
      return { injected: true, edits, readLater: { secret: id, file } };
    },
  };
}

function pullScript(id: string, file: string): string {
  return `${HOME}
az login --service-principal -u "$AZURE_CLIENT_ID" -t "$AZURE_TENANT_ID" --federated-token "$(cat "$AZURE_FEDERATED_TOKEN_FILE")"
mkdir -p ${shellWord(file.slice(0, file.lastIndexOf("/")))}
az keyvault secret show --id ${shellWord(id)} --query value -o tsv > ${shellWord(file)}
`;
}

function requestFault(request: SecretRequest, uri: string): string | undefined {
  const { groupVersion, mountRequirement } = request;
  if (uri === "") return "Azure Secrets Webhook requires group to be set to the URI of the secret";
  if (mountRequirement !== MountRequirement.ANY && mountRequirement !== MountRequirement.FILE) {
    return unrecognizedMount(request);
  }
  return (
    groupFault(request, GROUPS) ??
    shellFault("group", uri) ??
    (groupVersion === "" ? undefined : shellFault("group_version", groupVersion))
  );
}
