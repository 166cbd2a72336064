import {
  andThen,
  DEFAULT_POD_LIMITS,
  type MaybePromise,
  type PodLimits,
  type SecretId,
  type SecretRequest,
  SecretsError,
} from "@flyte-secrets/core";
import { coveringMounts } from "./checks/covered-mounts.ts";
import type { Delivery, KubernetesSecret } from "./delivery/delivery.ts";
import type { Claim, InjectContext, Injector, VariableNaming } from "./managers/injector.ts";
import { createPlanner, type InjectionRecord, type Served } from "./mutation-plan.ts";
import { applyPatch, type JsonPatch } from "./pod/json-patch.ts";
import { namedContainers } from "./pod/named-containers.ts";
import type { Pod } from "./pod/pod.ts";
import { createRequestReader, requestName } from "./requests.ts";

export interface MutatorOptions {
  /** In the order in which they are asked; `Global` comes first. */
  readonly managers: readonly Injector[];
  /** `secretEnvVarPrefix`, such as `_UNION_`. */
  readonly secretEnvVarPrefix: string;
  readonly envVarNaming: VariableNaming["style"];
  readonly delivery: Delivery;
  /** Those that go with secrets that are found; by default none do. */
  readonly imagePull?: ImagePullSecrets;
  /** `webhook.limits`; `DEFAULT_POD_LIMITS` by default. */
  readonly limits?: PodLimits;
}

export interface MutateOptions {
  /** For a pod that names no namespace: that of the admission request. `default` by default. */
  readonly namespace?: string;
  /** Nothing is written. */
  readonly dryRun?: boolean | undefined;
  /** The pod's right to secrets of a scope; by default it may have them all. */
  readonly claim?: Claim | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a pod lacks. */
export type PodChange =
  | { readonly changed: false }
  | {
      readonly changed: true;
      readonly patch: JsonPatch;
      /** What may not work, for the user to read. */
      readonly warnings: readonly string[];
      /** What the pod refers to and was written for it, or would have been on a dry run. */
      readonly secrets: readonly KubernetesSecret[];
      /** Which manager served which request, in the order of the requests. */
      readonly injections: readonly InjectionRecord[];
    };

/** A change together with the pod that it makes. */
export type Mutation =
  | Extract<PodChange, { changed: false }>
  | (Extract<PodChange, { changed: true }> & { readonly pod: Pod });

/** Gives a pod the secrets that its annotations ask for. */
export interface Mutator {
  /**
   * The mutation of a pod, which stays as it is. A second time changes nothing. A rejection is a thrown `SecretsError`, whose
   * kind has the HTTP status of the admission answer (`invalid_annotation`, `not_injected`, `pod_conflict`, `store_unavailable`,
   * ...); then nothing has been written either.
   */
  mutate(pod: Pod, options?: MutateOptions): Promise<Mutation>;
  /** As {@link Mutator.mutate}, without the pod; when all values are in memory, at once: then a rejection is thrown at once too. */
  changeOf(pod: Pod, options?: MutateOptions): MaybePromise<PodChange>;
}

export function createMutator(options: MutatorOptions): Mutator {
  const { managers, delivery, imagePull, limits = DEFAULT_POD_LIMITS } = options;
  const variables: VariableNaming = { prefix: options.secretEnvVarPrefix, style: options.envVarNaming };
  const readRequests = createRequestReader(limits);
  const planFor = createPlanner({ delivery, variables, limits });

  function changeOf(pod: Pod, options: MutateOptions = {}): MaybePromise<PodChange> {
    const { namespace, dryRun = false, claim, signal } = options;
    const requests = readRequests(pod);
    if (requests.length === 0) return UNCHANGED;
    const containers = namedContainers(pod);
    const call: Call = { signal };
    const context: InjectContext = {
      labels: pod.metadata?.labels ?? {},
      namespace: pod.metadata?.namespace || namespace || "default",
      variables,
      claim,
      signal,
    };
    // All at once, so that a backend may fetch the values of a pod together.
    const serving = requests.map((request) =>
      andThen(injectFirst(managers, request, context), (served) => withPullSecret(served, call)),
    );
    return andThen(isKnown(serving) ? serving : allInOrder(serving), (served) => {
      const plan = planFor(served);
      const { editor, pullSecrets, secrets, injections } = plan;
      const patch = editor.edit(pod, containers);
      const isSame = patch.operations.length === 0;
      const max = limits.warnings - plan.warnings.length;
      const covering = isSame ? [] : coveringMounts(pod, containers, { ...plan.covered, max });
      const warnings = covering.length === 0 ? plan.warnings : [...plan.warnings, ...covering];
      const change: PodChange = isSame ? UNCHANGED : { changed: true, patch, warnings, secrets, injections };
      if (dryRun) return change;
      const owners = pod.metadata?.ownerReferences ?? [];
      const written = delivery.write(context.namespace, secrets, { owners, signal });
      return andThen(written, () => andThen(copyAll(pullSecrets, context.namespace, call), () => change));
    });
  }

  function withPullSecret(served: Served, call: Call): MaybePromise<Served> {
    const { found } = served.injection;
    if (found === undefined || imagePull === undefined) return served;
    return andThen(imagePull.find(found.id, call), (pullSecret) => (pullSecret ? { ...served, pullSecret } : served));
  }

  /** One after the other: a pod rarely has two. */
  function copyAll([name, ...rest]: readonly string[], namespace: string, call: Call): MaybePromise<void> {
    if (name === undefined || imagePull === undefined) return;
    return andThen(imagePull.copy(namespace, name, call), () => copyAll(rest, namespace, call));
  }

  return {
    changeOf,
    async mutate(pod, options) {
      const change = await changeOf(pod, options);
      return change.changed ? { ...change, pod: applyPatch(pod, change.patch.operations) } : change;
    },
  };
}

type Call = Pick<MutateOptions, "signal">;

const UNCHANGED = { changed: false } as const;

function isKnown<T>(values: readonly MaybePromise<T>[]): values is readonly T[] {
  return !values.some((value) => value instanceof Promise);
}

/**
 * Of several that fail, the first in their order is thrown and not the quickest: the same pod is rejected for the same
 * reason each time.
 */
async function allInOrder<T>(values: readonly MaybePromise<T>[]): Promise<T[]> {
  await Promise.allSettled(values);
  return await Promise.all(values);
}

/** The first manager that serves the request. What goes wrong is always a rejection, so that no other request's goes unheard. */
function injectFirst(
  managers: readonly Injector[],
  request: SecretRequest,
  context: InjectContext,
): MaybePromise<Served> {
  const reasons: string[] = [];
  const ask = (at: number): MaybePromise<Served> => {
    const manager = managers[at];
    if (manager === undefined) {
      const tried = `none of the secret managers injected secret ${requestName(request)}: ${reasons.join("; ")}`;
      throw new SecretsError("not_injected", tried);
    }
    return andThen(manager.inject(request, context), (injection) => {
      if (injection.injected) return { request, manager: manager.name, injection };
      reasons.push(`${manager.name}: ${injection.reason}`);
      return ask(at + 1);
    });
  };
  try {
    return ask(0);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** The Secrets to pull images with that go with secrets: one in the webhook's namespace, copied to those of pods. */
export interface ImagePullSecrets {
  /** The name of the one that goes with a secret; undefined where there is none. Without a promise where that is known. */
  find(id: SecretId, options: { readonly signal?: AbortSignal | undefined }): MaybePromise<string | undefined>;
  /**
   * Makes sure that `namespace` has it, as it is now. Called when nothing else can refuse the pod any more, and never on a dry
   * run. Throws if it can't be written: the pod is then rejected. Without a promise when it is there already.
   */
  copy(namespace: string, name: string, options: { readonly signal?: AbortSignal | undefined }): MaybePromise<void>;
}
