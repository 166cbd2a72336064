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

/** The volume of the files that have no group, in either delivery. */
export const FILES_VOLUME = "embedded-secret-vol";

/** How a delivery carries values. */
export interface Carrier {
  variable(name: string, source: SecretSource): EnvVar;
  /** Brings in all files without a group; asked once, at the first of them. */
  files(): readonly PodEdit[];
  /** Brings in all files of a group; asked once, at the first of them, with its group. */
  groupFiles(group: FileGroup): readonly PodEdit[];
}

/** Replaces the edits that hold secrets by plain ones, each list by one list, as `carrier` has it. */
export function toPlainEdits(requested: readonly (readonly InjectorEdit[])[], carrier: Carrier): PodEdit[][] {
  const seen = new Set<string | undefined>();
  return requested.map((edits) =>
    edits.flatMap((edit): readonly PodEdit[] => {
      if (edit.kind === "secretVariable") return [{ kind: "env", variable: carrier.variable(edit.name, edit.source) }];
      if (edit.kind !== "secretFile") return [edit];
      if (seen.has(edit.group?.name)) return [];
      seen.add(edit.group?.name);
      return edit.group ? carrier.groupFiles(edit.group) : [...carrier.files(), ...DIRECTORY_EDITS];
    }),
  );
}

/** The files that are asked for, in order. */
export function filesOf(requested: readonly (readonly InjectorEdit[])[]): SecretFile[] {
  return requested.flat().filter((edit) => edit.kind === "secretFile");
}

/** Where a file is below the directory of secrets. */
export function filePath({ file, group }: SecretFile): string {
  return group ? `${group.directory}/${file}` : file;
}

/** A file and the Secret that it comes from. */
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

/** The items without repetitions. */
export function distinct(items: readonly VolumeItem[]): VolumeItem[] {
  const byText = new Map<string, VolumeItem>();
  for (const item of items) {
    const text = `${item.key}\0${item.path}`;
    if (!byText.has(text)) byText.set(text, item);
  }
  return [...byText.values()];
}
