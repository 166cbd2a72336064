/** One place where a manager looked, or where the pod will, and whether the secret was there. */
export interface Place {
  /** `project`, `domain` or `global` scope; `variable` or `file` of the Global manager; `Kubernetes Secret`; `AWS secret` and the like. */
  readonly kind: string;
  /** The encoded id, the variable's or file's name, or what the place itself calls the secret. */
  readonly name: string;
  /** Absent where only the pod's own start will tell. */
  readonly found?: boolean;
}
