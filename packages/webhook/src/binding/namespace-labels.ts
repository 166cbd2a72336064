import type { Clock } from "@flyte-secrets/core";
import { type MaybePromise, quote, SecretsError } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { type KubeObject, NAMESPACES, runInformer } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import type { ProjectAndDomain } from "./namespace-template.ts";

/** The labels of a namespace that bind its pods to a scope. Only users who may update namespaces can set them. */
export const PROJECT_LABEL = "flyte.secrets/project";
export const DOMAIN_LABEL = "flyte.secrets/domain";

/** Unknown namespaces that are read at the same time; more only occur when somebody invents names. */
const MAX_ASKED = 4;

/** The values of a namespace's two labels; undefined for a label that is absent, not for an empty one. */
export type BoundScope = { readonly [Part in keyof ProjectAndDomain]: string | undefined };

/** The scopes that the labels of namespaces bind their pods to. */
export interface NamespaceLabels {
  /**
   * Returns undefined for a namespace with neither label, and a promise only for a namespace that the watch has not
   * delivered yet: the API server is called once, however many pods wait. Throws or rejects with `claim_refused` for a
   * namespace that does not exist, with `store_unavailable` while the watch is stale, and with the client's errors.
   */
  find(namespace: string): MaybePromise<BoundScope | undefined>;
  /** Whether a namespace has either label, by what is in memory. */
  isBound(namespace: string): boolean;
}

/** {@link NamespaceLabels} that are watched in a cluster. */
export interface WatchedNamespaceLabels extends NamespaceLabels {
  /** Throws `store_unavailable` while the watch is stale. */
  ready(): void;
  close(): Promise<void>;
}

export interface WatchNamespaceLabelsOptions {
  readonly client: Pick<KubeClient, "list" | "watch" | "get">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Watches the labels of all namespaces into memory, so that an admission makes no call. */
export function watchNamespaceLabels({ client, clock, log }: WatchNamespaceLabelsOptions): WatchedNamespaceLabels {
  /** All namespaces; most have no such labels. */
  const known = new Map<string, BoundScope | undefined>();
  const asked = new Map<string, Promise<BoundScope | undefined>>();
  const onUpsert = ({ metadata }: KubeObject) => void known.set(metadata.name, toBoundScope(metadata.labels));
  const informer = runInformer({
    client,
    resource: NAMESPACES,
    selector: {},
    handler: {
      onReplace(namespaces) {
        known.clear();
        for (const namespace of namespaces) onUpsert(namespace);
      },
      onUpsert,
      onDelete: ({ metadata }) => void known.delete(metadata.name),
    },
    clock,
    log,
  });

  function assertFresh(): void {
    if (informer.isFresh()) return;
    throw new SecretsError(
      "store_unavailable",
      "the labels of namespaces, which decide about claims (webhook.scopeBinding.namespaceLabels), cannot be " +
        `watched: ${informer.staleReason() ?? informer.problem()}. Try again.`,
    );
  }

  async function ask(name: string): Promise<BoundScope | undefined> {
    const found = await client.get(NAMESPACES, { name });
    if (found !== undefined) return toBoundScope(found.metadata.labels);
    throw new SecretsError(
      "claim_refused",
      `namespace ${quote(name)} does not exist, so no scope can be claimed in it`,
    );
  }

  return {
    find(namespace) {
      assertFresh();
      const bound = known.get(namespace);
      if (bound !== undefined || known.has(namespace)) return bound;
      const asking = asked.get(namespace);
      if (asking !== undefined) return asking;
      if (asked.size >= MAX_ASKED) {
        const many = `${MAX_ASKED} namespaces that are not known yet are being read already. Try again.`;
        throw new SecretsError("store_unavailable", many);
      }
      const answer = ask(namespace).finally(() => asked.delete(namespace));
      asked.set(namespace, answer);
      return answer;
    },
    isBound: (namespace) => known.get(namespace) !== undefined,
    ready: assertFresh,
    close: () => informer.close(),
  };
}

function toBoundScope(labels: Readonly<Record<string, string>> = {}): BoundScope | undefined {
  const project = labels[PROJECT_LABEL];
  const domain = labels[DOMAIN_LABEL];
  return project === undefined && domain === undefined ? undefined : { project, domain };
}
