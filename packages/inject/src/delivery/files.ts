import {
  DIRECTORY_EDITS,
  type InjectorEdit,
  SECRETS_DIRECTORY,
  type SecretFile,
  type SecretSource,
} from "../managers/injector.ts";
import type { PodEdit } from "../pod/edit.ts";
import type { EnvVar, SecretKeyReference, VolumeItem } from "../pod/pod.ts";

export type FileGroup = NonNullable<SecretFile["group"]>;

/** The name of the volume of files without a group, with either delivery. */
export const FILES_VOLUME = "embedded-secret-vol";

/** The plain edits by which a delivery sets variables and files. */
export interface SecretRenderer {
  variable(name: string, source: SecretSource): EnvVar;
  /** The edits for all files without a group. Called once, at the first of them. */
  files(): readonly PodEdit[];
  /** The edits for all files of a group. Called once for each group, at its first file. */
  groupFiles(group: FileGroup): readonly PodEdit[];
}

/** Replaces edits with secrets by the renderer's plain ones. The result has one list for each given list. */
export function toPlainEdits(requested: readonly (readonly InjectorEdit[])[], renderer: SecretRenderer): PodEdit[][] {
  const seen = new Set<string | undefined>();
  return requested.map((edits) =>
    edits.flatMap((edit): readonly PodEdit[] => {
      if (edit.kind === "secretVariable") return [{ kind: "env", variable: renderer.variable(edit.name, edit.source) }];
      if (edit.kind !== "secretFile") return [edit];
      if (seen.has(edit.group?.name)) return [];
      seen.add(edit.group?.name);
      return edit.group ? renderer.groupFiles(edit.group) : [...renderer.files(), ...DIRECTORY_EDITS];
    }),
  );
}

/** The files among the edits, in their order. */
export function filesOf(requested: readonly (readonly InjectorEdit[])[]): SecretFile[] {
  return requested.flat().filter((edit) => edit.kind === "secretFile");
}

/** The path of a file below the secrets directory. */
export function filePath({ file, group }: SecretFile): string {
  return group ? `${group.directory}/${file}` : file;
}

/** A file and the Secret that holds its content. */
export interface ReferencedFile {
  readonly file: SecretFile;
  readonly reference: SecretKeyReference;
}

/** A Secret volume for the files of one group, which all come from one Secret, and its mount. */
export function groupVolume(group: FileGroup, files: readonly ReferencedFile[]): PodEdit[] {
  const { name: secretName = "", optional } = files[0]?.reference ?? {};
  const items = distinct(files.map(({ file, reference }) => ({ key: reference.key, path: file.file })));
  const secret = { secretName, items, ...(optional !== undefined && { optional }) };
  const mountPath = `${SECRETS_DIRECTORY}/${group.directory}`;
  return [
    { kind: "volume", volume: { name: group.volume, secret } },
    { kind: "mount", mount: { name: group.volume, mountPath, readOnly: true } },
  ];
}

/** The items without duplicates. */
export function distinct(items: readonly VolumeItem[]): VolumeItem[] {
  const byText = new Map<string, VolumeItem>();
  for (const item of items) {
    const text = `${item.key}\0${item.path}`;
    if (!byText.has(text)) byText.set(text, item);
  }
  return [...byText.values()];
}
