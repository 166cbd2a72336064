/** How a task wants a secret: `flyteidl2.core.Secret.MountType`. Other numbers are parsed, and refused later. */
export const MountRequirement = { ANY: 0, ENV_VAR: 1, FILE: 2 } as const;

/** One secret that a task asks for: `flyteidl2.core.Secret`. Empty strings stand for fields that are not set. */
export interface SecretRequest {
  readonly group: string;
  readonly groupVersion: string;
  readonly key: string;
  /** One of {@link MountRequirement}, or any other number that was on the wire. */
  readonly mountRequirement: number;
  /** A variable of this name holds the value (ENV_VAR, ANY) or the file's path (FILE). */
  readonly envVar: string;
}
