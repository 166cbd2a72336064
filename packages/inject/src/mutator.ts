import {
  andThen,
  DEFAULT_POD_LIMITS,
  type MaybePromise,
  type PodLimits,
  type SecretId,
  type SecretRequest,
  SecretsError,
} from "@flyte-secrets/core";
import { findCoveringMounts } from "./checks/covered-mounts.ts";
import type { Delivery, SecretToDeliver } from "./delivery/delivery.ts";
import type { Claim, InjectContext, Injector, VariableNaming } from "./managers/injector.ts";
import { createMutationPlanner, type InjectionRecord, type ServedRequest } from "./mutation-plan.ts";
import { applyPatch, type JsonPatch } from "./pod/json-patch.ts";
import { namedContainers } from "./pod/named-containers.ts";
import type { Pod } from "./pod/pod.ts";
import { createRequestReader, requestName } from "./requests.ts";

export interface MutatorOptions {
  /** The secret managers, in the order in which they are tried; `Global` comes first. */
  readonly managers: readonly Injector[];
  /** `secretEnvVarPrefix`, such as `_UNION_`. */
  readonly secretEnvVarPrefix: string;
  readonly envVarNaming: VariableNaming["style"];
  readonly delivery: Delivery;
  /** The image-pull Secrets of secrets; none by default. */
  readonly imagePull?: ImagePullSecrets;
  /** `webhook.limits`; {@link DEFAULT_POD_LIMITS} by default. */
  readonly limits?: PodLimits;
}

export interface MutateOptions {
  /** The namespace of the admission request, for a pod that names none. `default` by default. */
  readonly namespace?: string;
  /** Whether to write nothing. Default: false. */
  readonly dryRun?: boolean | undefined;
  /** The pod's right to scoped secrets; by default it may have all. */
  readonly claim?: Claim | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The change that gives a pod its secrets. */
export type PodChange =
  | { readonly changed: false }
  | {
      readonly changed: true;
      readonly patch: JsonPatch;
      /** Warnings for the user. */
      readonly warnings: readonly string[];
      /** The Secrets to which the pod refers. They were written, unless this is a dry run. */
      readonly secrets: readonly SecretToDeliver[];
      /** The manager that served each request, in the order of the requests. */
      readonly injections: readonly InjectionRecord[];
    };

/** A change, and the pod to which it leads. */
export type Mutation =
  | Extract<PodChange, { changed: false }>
  | (Extract<PodChange, { changed: true }> & { readonly pod: Pod });

/** Gives pods the secrets that their annotations request. */
export interface Mutator {
  /**
   * Returns the mutation of a pod, which is not modified. It is idempotent. A pod is rejected by a thrown
   * `SecretsError`, whose kind has the HTTP status of the admission response (`invalid_annotation`, `not_injected`,
   * `pod_conflict`, `store_unavailable`, ...). Nothing has been written then.
   */
  mutate(pod: Pod, options?: MutateOptions): Promise<Mutation>;
  /**
   * As {@link Mutator.mutate}, without the pod. Synchronous when all values are in memory: it then returns no promise,
   * and throws.
   */
  computeChange(pod: Pod, options?: MutateOptions): MaybePromise<PodChange>;
}

export function createMutator(options: MutatorOptions): Mutator {
  const { managers, delivery, imagePull, limits = DEFAULT_POD_LIMITS } = options;
  const variables: VariableNaming = { prefix: options.secretEnvVarPrefix, style: options.envVarNaming };
  const readRequests = createRequestReader(limits);
  const planFor = createMutationPlanner({ delivery, variables, limits });

  function computeChange(pod: Pod, options: MutateOptions = {}): MaybePromise<PodChange> {
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
    // Concurrently, so that a backend can fetch the values of a pod in one call.
    const serving = requests.map((request) =>
      andThen(injectWithFirst(managers, request, context), (served) => withPullSecret(served, call)),
    );
    return andThen(areResolved(serving) ? serving : settleInOrder(serving), (served) => {
      const plan = planFor(served);
      const { editor, pullSecrets, secrets, injections } = plan;
      const patch = editor.edit(pod, containers);
      const isSame = patch.operations.length === 0;
      const max = limits.warnings - plan.warnings.length;
      const covering = isSame ? [] : findCoveringMounts(pod, containers, { ...plan.covered, max });
      const warnings = covering.length === 0 ? plan.warnings : [...plan.warnings, ...covering];
      const change: PodChange = isSame ? UNCHANGED : { changed: true, patch, warnings, secrets, injections };
      const owners = pod.metadata?.ownerReferences ?? [];
      const written = delivery.write(context.namespace, secrets, { owners, signal, dryRun });
      const toCopy = dryRun ? [] : pullSecrets;
      return andThen(written, () => andThen(copyAll(toCopy, context.namespace, call), () => change));
    });
  }

  function withPullSecret(served: ServedRequest, call: Call): MaybePromise<ServedRequest> {
    const { found } = served.injection;
    if (found === undefined || imagePull === undefined) return served;
    return andThen(imagePull.find(found.id, call), (pullSecret) => (pullSecret ? { ...served, pullSecret } : served));
  }

  /** Copies the Secrets one after the other: a pod rarely has two. */
  function copyAll([name, ...rest]: readonly string[], namespace: string, call: Call): MaybePromise<void> {
    if (name === undefined || imagePull === undefined) return;
    return andThen(imagePull.copy(namespace, name, call), () => copyAll(rest, namespace, call));
  }

  return {
    computeChange,
    async mutate(pod, options) {
      const change = await computeChange(pod, options);
      return change.changed ? { ...change, pod: applyPatch(pod, change.patch.operations) } : change;
    },
  };
}

type Call = Pick<MutateOptions, "signal">;

const UNCHANGED = { changed: false } as const;

function areResolved<T>(values: readonly MaybePromise<T>[]): values is readonly T[] {
  return !values.some((value) => value instanceof Promise);
}

/**
 * Awaits all values. If several fail, throws the error of the first in their order rather than the first in time, so
 * that the same pod is always rejected for the same reason.
 */
async function settleInOrder<T>(values: readonly MaybePromise<T>[]): Promise<T[]> {
  await Promise.allSettled(values);
  return await Promise.all(values);
}

/**
 * The injection of the first manager that serves the request. Errors are always rejections, so that the other requests
 * are awaited.
 */
function injectWithFirst(
  managers: readonly Injector[],
  request: SecretRequest,
  context: InjectContext,
): MaybePromise<ServedRequest> {
  const reasons: string[] = [];
  const tryManager = (at: number): MaybePromise<ServedRequest> => {
    const manager = managers[at];
    if (manager === undefined) {
      const tried = `none of the secret managers injected secret ${requestName(request)}: ${reasons.join("; ")}`;
      throw new SecretsError("not_injected", tried);
    }
    return andThen(manager.inject(request, context), (injection) => {
      if (injection.injected) return { request, manager: manager.name, injection };
      reasons.push(`${manager.name}: ${injection.reason}`);
      return tryManager(at + 1);
    });
  };
  try {
    return tryManager(0);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** The image-pull Secrets of secrets: each is in the webhook's namespace and copied to the namespaces of pods. */
export interface ImagePullSecrets {
  /**
   * The name of a secret's image-pull Secret; undefined where it has none. Returns no promise where that is in memory.
   */
  find(id: SecretId, options: { readonly signal?: AbortSignal | undefined }): MaybePromise<string | undefined>;
  /**
   * Ensures that `namespace` has the current Secret. Called last, when nothing else can reject the pod, and never on a
   * dry run. Throws if it can't be written, and then the pod is rejected. Returns no promise when it is up to date
   * already.
   */
  copy(namespace: string, name: string, options: { readonly signal?: AbortSignal | undefined }): MaybePromise<void>;
}
