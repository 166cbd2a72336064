import { MountRequirement, type SecretRequest, trimEndOf } from "@flyte-secrets/core";
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
  sidecarImage: "mcr.microsoft.com/azure-cli:cbl-mariner2.0",
  resources: SIDECAR_RESOURCES,
};

/** Room for `https://`, the longest host, a vault's name of 24 characters, a secret's of 127, and a version. */
const GROUPS: GroupNames = { what: "the URI of a secret in Azure Key Vault", maxLength: 512 };

/**
 * Azure Key Vault through an init container: the group is the secret's URI, its file
 * `/etc/flyte/secrets/<last segment>`, with `/<version>` where the request names a version, in lower case. The init
 * container reads it with the pod's own workload identity (I-25).
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
        unclear: validatePath(uri.replace(/^https:\/\//, "")) ?? validateVersion(groupVersion),
      };
    },
    async inject(request) {
      const uri = trimEndOf(request.group, "/");
      const reason = validateRequest(request, uri);
      if (reason !== undefined) return { injected: false, reason };
      const path = secretPath(uri.slice(uri.lastIndexOf("/") + 1).toLowerCase(), request.groupVersion.toLowerCase());
      if (path === undefined) return { injected: false, reason: PATH_LEAVES };
      const id = request.groupVersion === "" ? uri : `${uri}/${request.groupVersion}`;
      const file = `${SECRETS_DIRECTORY}/${path}`;
      const command = ["sh", "-ec", pullScript(id, file)];
      const edits = sidecarEdits(config, { cloud: "azure", mountPath: SECRETS_DIRECTORY, command });
      return { injected: true, edits, deferredRead: { secret: id, file } };
    },
  };
}

function pullScript(id: string, file: string): string {
  return `${HOME}
az login --service-principal -u "$AZURE_CLIENT_ID" -t "$AZURE_TENANT_ID" --federated-token "$(cat "$AZURE_FEDERATED_TOKEN_FILE")"
mkdir -p ${quoteForShell(file.slice(0, file.lastIndexOf("/")))}
az keyvault secret show --id ${quoteForShell(id)} --query value -o tsv > ${quoteForShell(file)}
`;
}

function validateRequest(request: SecretRequest, uri: string): string | undefined {
  const { groupVersion, mountRequirement } = request;
  if (uri === "") return "Azure Secrets Webhook requires group to be set to the URI of the secret";
  if (mountRequirement !== MountRequirement.ANY && mountRequirement !== MountRequirement.FILE) {
    return describeUnknownMount(request);
  }
  return (
    validateGroup(request, GROUPS) ??
    validateScriptText("group", uri) ??
    (groupVersion === "" ? undefined : validateScriptText("group_version", groupVersion))
  );
}
