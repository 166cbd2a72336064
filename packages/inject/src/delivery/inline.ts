import { SecretsError, type SecretValue } from "@flyte-secrets/core";
import { SECRETS_DIRECTORY, type SecretSource } from "../managers/injector.ts";
import type { InitContainerSettings, OwnContainer, PodEdit } from "../pod/edit.ts";
import { addInitContainer } from "../pod/edit.ts";
import type { EnvVar, SecretKeyReference } from "../pod/pod.ts";
import type { Delivery } from "./delivery.ts";
import { encodeFiles, FILES_SCRIPT } from "./file-script.ts";
import { FILES_VOLUME, filesOf, groupVolume, toPlainEdits } from "./files.ts";

/** `embeddedSecretManagerConfig.fileMountInitContainer`. */
export interface FileMountInitContainer {
  readonly image: string;
  readonly containerName: string;
  readonly resources: unknown;
  /** Default: {@link DEFAULT_INIT_CONTAINERS}. */
  readonly initContainers?: InitContainerSettings;
}

export interface InlineDeliveryOptions {
  readonly fileMountInitContainer?: FileMountInitContainer;
  /**
   * Whether each `$` of a variable's value is doubled, so that the kubelet doesn't expand it. Default: false, as in
   * Flyte.
   */
  readonly escapeVariables?: boolean;
}

const DEFAULT_INIT_CONTAINER: FileMountInitContainer = {
  image: "public.ecr.aws/docker/library/busybox:latest",
  containerName: "init-embedded-secret",
  resources: { requests: { cpu: "100m", memory: "100Mi" }, limits: { cpu: "100m", memory: "100Mi" } },
};

/**
 * Puts values into the pod itself, as Flyte 2.0 does. Everyone who may read pods, or etcd, can read them. Variables are
 * literals, in which the kubelet expands `$(NAME)` and replaces `$$` by `$`, as in Flyte, unless they are escaped. An
 * init container writes the files (I-30).
 */
export function createInlineDelivery(options: InlineDeliveryOptions = {}): Delivery {
  const { fileMountInitContainer = DEFAULT_INIT_CONTAINER, escapeVariables = false } = options;
  return {
    name: "Inline",
    deliver(requested) {
      const files = filesOf(requested);
      const byGroup = Map.groupBy(files, ({ group }) => group?.name);
      const edits = toPlainEdits(requested, {
        variable: (name, source) => inlineVariable(name, source, escapeVariables),
        files() {
          const values = new Map<string, SecretValue>();
          for (const { file, group, source } of files) if (!group) values.set(file, sourceValue(source));
          return initContainerEdits(values, fileMountInitContainer);
        },
        groupFiles(group) {
          const own = byGroup.get(group.name) ?? [];
          return groupVolume(
            group,
            own.map((file) => ({ file, reference: referenceOf(file.source) })),
          );
        },
      });
      return { edits, secrets: [] };
    },
    write() {},
  };
}

function inlineVariable(name: string, source: SecretSource, isEscaped: boolean): EnvVar {
  if (source.kind === "reference") return { name, valueFrom: { secretKeyRef: source.reference } };
  const value = source.value.revealText();
  if (value === undefined) throw new SecretsError("internal", `variable ${name} was to hold bytes that are no text`);
  // https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#environment-variables
  return { name, value: isEscaped ? value.replaceAll("$", "$$$$") : value };
}

function initContainerEdits(files: ReadonlyMap<string, SecretValue>, config: FileMountInitContainer): PodEdit[] {
  const container: OwnContainer = {
    name: config.containerName,
    image: config.image,
    command: ["sh", "-c", FILES_SCRIPT],
    env: encodeFiles(files),
    resources: config.resources,
    volumeMounts: [{ name: FILES_VOLUME, mountPath: SECRETS_DIRECTORY }],
  };
  return [
    { kind: "volume", volume: { name: FILES_VOLUME, emptyDir: { medium: "Memory" } } },
    addInitContainer(container, { numbered: false, settings: config.initContainers }),
    { kind: "mount", mount: { name: FILES_VOLUME, mountPath: SECRETS_DIRECTORY, readOnly: true } },
  ];
}

function sourceValue(source: SecretSource): SecretValue {
  if (source.kind === "value") return source.value;
  throw new SecretsError("internal", "a file outside a group needs a value");
}

function referenceOf(source: SecretSource): SecretKeyReference {
  if (source.kind === "reference") return source.reference;
  throw new SecretsError("internal", "delivery Inline cannot copy a Secret into the pod's namespace");
}
