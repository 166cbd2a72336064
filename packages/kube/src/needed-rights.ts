/**
 * Verbs on a kind of object, in RBAC's words, that a component needs. Each component exports its own: `doctor` asks the
 * API server for them, and a test compares the chart's roles with them.
 */
export interface NeededRights {
  readonly component: "service" | "webhook";
  readonly verbs: readonly string[];
  /** Empty for the core API. */
  readonly group: string;
  readonly resource: string;
  /** Undefined: all of them. */
  readonly namespace?: string | undefined;
  /** Undefined: of whatever name. */
  readonly name?: string | undefined;
  /** The name of what `create` is for: where that is there already, the right is not needed. */
  readonly makes?: string;
  /**
   * Whether it is for filling what an installer made empty: where nothing is there, or it is full, the right is not
   * needed.
   */
  readonly fills?: boolean;
  /** Whether the command that lets the webhook write for the pods of `namespace` gives it, among others. */
  readonly isWriters?: boolean;
  /** Whether the component works without it, only slower. */
  readonly isOptional?: boolean;
  /** Ends the sentence "which the webhook needs to ...". */
  readonly purpose: string;
}

const SECRETS = { group: "", resource: "secrets" };

/** On a Secret with a key that the first one to start makes. */
export function sharedKeyRights(
  component: NeededRights["component"],
  { namespace, name, purpose }: { readonly namespace: string; readonly name: string; readonly purpose: string },
): NeededRights[] {
  const keeping = { ...SECRETS, component, namespace, purpose };
  return [
    { ...keeping, verbs: ["create"], makes: name },
    { ...keeping, verbs: ["get"], name },
    { ...keeping, verbs: ["update"], name, fills: true },
  ];
}

/** On a Secret with a certificate that its holder makes, follows and renews. */
export function certificateRights(
  component: NeededRights["component"],
  namespace: string,
  name: string,
): NeededRights[] {
  const keeping = { ...SECRETS, component, namespace, purpose: "keep its certificate" };
  return [
    { ...keeping, verbs: ["create"], makes: name },
    { ...keeping, verbs: ["get", "list", "watch", "update"], name },
  ];
}
