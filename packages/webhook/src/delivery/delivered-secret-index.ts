import type { DeliveredSecret } from "./delivered-secret.ts";

/** How many delivered Secrets a namespace has. */
export interface DeliveredCounts {
  readonly secrets: number;
  /** How many of them no pod has been seen to name, and the bytes of their values. */
  readonly unnamed: number;
  readonly unnamedBytes: number;
}

/** The delivered Secrets that are known, by namespace and name. */
export interface DeliveredSecretIndex {
  /** Those of a namespace, by name. */
  in(namespace: string): ReadonlyMap<string, DeliveredSecret>;
  all(): DeliveredSecret[];
  /** The counts of one namespace, or of all together. */
  countsOf(namespace?: string): DeliveredCounts;
  /** Does nothing once `max` of the namespace are known: others can make Secrets that look like delivered ones. */
  put(secret: DeliveredSecret): void;
  remove(reference: { readonly namespace?: string; readonly name: string }): void;
  clear(): void;
}

interface Namespace {
  readonly secrets: Map<string, DeliveredSecret>;
  unnamed: number;
  unnamedBytes: number;
}

const NONE: ReadonlyMap<string, DeliveredSecret> = new Map();

/** An empty index that keeps at most `max` Secrets of each namespace. */
export function createDeliveredSecretIndex(max: number): DeliveredSecretIndex {
  const namespaces = new Map<string, Namespace>();

  const count = (of: Namespace, { isNamed, bytes }: DeliveredSecret, sign: 1 | -1) => {
    if (isNamed !== false) return;
    of.unnamed += sign;
    of.unnamedBytes += sign * bytes;
  };
  const remove: DeliveredSecretIndex["remove"] = ({ namespace = "", name }) => {
    const known = namespaces.get(namespace);
    const old = known?.secrets.get(name);
    if (known === undefined || old === undefined) return;
    known.secrets.delete(name);
    count(known, old, -1);
    if (known.secrets.size === 0) namespaces.delete(namespace);
  };

  return {
    in: (namespace) => namespaces.get(namespace)?.secrets ?? NONE,
    all: () => [...namespaces.values()].flatMap(({ secrets }) => [...secrets.values()]),
    countsOf(namespace) {
      const counted = namespace === undefined ? namespaces.values() : [namespaces.get(namespace)];
      const counts = { secrets: 0, unnamed: 0, unnamedBytes: 0 };
      for (const known of counted) {
        counts.secrets += known?.secrets.size ?? 0;
        counts.unnamed += known?.unnamed ?? 0;
        counts.unnamedBytes += known?.unnamedBytes ?? 0;
      }
      return counts;
    },
    put(secret) {
      const { namespace, name } = secret;
      remove(secret);
      const known = namespaces.get(namespace) ?? {
        secrets: new Map<string, DeliveredSecret>(),
        unnamed: 0,
        unnamedBytes: 0,
      };
      if (known.secrets.size >= max) return;
      namespaces.set(namespace, known);
      known.secrets.set(name, secret);
      count(known, secret, 1);
    },
    remove,
    clear: () => namespaces.clear(),
  };
}
