import {
  applyEdits,
  type Delivery,
  fromRequestAnnotations,
  type InjectContext,
  type Injection,
  type Injector,
  type InjectorEdit,
  type JsonPatchOperation,
  type KubernetesSecret,
  namedContainers,
  type Pod,
  type ScopeLevel,
  type SecretId,
  type SecretRequest,
  SecretsError,
  type VariableNaming,
} from "@flyte-secrets/core";
import { checkFiles, checkMounts, type Granted } from "./mount-conflicts.ts";
import { guardPatch } from "./patch-guard.ts";
import { requestName } from "./request-name.ts";
import { DIRECTORY_EDITS } from "./value-edits.ts";

export interface MutatorOptions {
  /** In the order in which they are asked; `Global` comes first (spec page 4). */
  readonly managers: readonly Injector[];
  /** `secretEnvVarPrefix`, such as `_UNION_`. */
  readonly secretEnvVarPrefix: string;
  readonly envVarNaming: VariableNaming["style"];
  readonly delivery: Delivery;
}

export interface MutateOptions {
  /** For a pod that names no namespace: that of the admission request. `default` by default. */
  readonly namespace?: string;
  /** Nothing is written. */
  readonly dryRun?: boolean;
  /** Why the pod may not have the secrets of the scope that its labels name: a request that comes to them throws `claim_refused`. */
  readonly refusedClaim?: string;
  readonly signal?: AbortSignal;
}

export type Mutation =
  | { readonly changed: false }
  | {
      readonly changed: true;
      readonly pod: Pod;
      readonly patch: readonly JsonPatchOperation[];
      /** The patch as JSON text. */
      readonly patchText: string;
      /** What may not work, for the user to read. */
      readonly warnings: readonly string[];
      /** What the pod refers to and was written for it, or would have been on a dry run. */
      readonly secrets: readonly KubernetesSecret[];
      /** Which manager served which request, in the order of the requests. */
      readonly injections: readonly InjectionRecord[];
    };

export interface InjectionRecord {
  readonly request: SecretRequest;
  readonly manager: string;
  /** Where the secret was found, with a manager that looks for it. */
  readonly level?: ScopeLevel;
  readonly id?: SecretId;
}

/** Gives a pod the secrets that its annotations ask for. */
export interface Mutator {
  /**
   * The mutation of a pod, which stays as it is. A second time changes nothing. A rejection is a thrown `SecretsError`, whose
   * kind has the HTTP status of the admission answer (`invalid_annotation`, `not_injected`, `pod_conflict`, `store_unavailable`,
   * ...); then nothing has been written either.
   */
  mutate(pod: Pod, options?: MutateOptions): Promise<Mutation>;
}

export function createMutator(options: MutatorOptions): Mutator {
  const { managers, delivery } = options;
  const variables: VariableNaming = { prefix: options.secretEnvVarPrefix, style: options.envVarNaming };
  return {
    async mutate(pod, { namespace, dryRun = false, refusedClaim, signal } = {}) {
      const requests = fromRequestAnnotations(pod.metadata?.annotations ?? {});
      if (requests.length === 0) return { changed: false };
      const containers = namedContainers(pod);
      const context: InjectContext = {
        labels: pod.metadata?.labels ?? {},
        namespace: pod.metadata?.namespace || namespace || "default",
        variables,
        ...(refusedClaim !== undefined && { refusedClaim }),
        ...(signal && { signal }),
      };
      // All at once, so that a backend may fetch the values of a pod together.
      const injected = await Promise.all(requests.map((request) => injectFirst(managers, request, context)));
      checkFiles(injected);

      const delivered = delivery.deliver(injected.map(({ edits }) => edits));
      const plain = injected.map((one, at) => ({ ...one, edits: delivered.edits[at] ?? [] }));
      const warnings = checkMounts(plain);
      const edited = applyEdits(pod, delivered.edits.flat(), containers);
      const patchText = JSON.stringify(edited.patch);
      if (delivery.name !== "Inline") {
        guardPatch({
          patch: edited.patch,
          sources: injected.flatMap(({ edits }) => edits.flatMap((edit) => ("source" in edit ? [edit.source] : []))),
          known: () => [JSON.stringify(pod), JSON.stringify([requests, variables, DIRECTORY_EDITS])],
        });
      }
      if (!dryRun) {
        const owners = pod.metadata?.ownerReferences ?? [];
        await delivery.write(context.namespace, delivered.secrets, { owners, ...(signal && { signal }) });
      }
      if (edited.patch.length === 0) return { changed: false };
      const injections = injected.map(({ request, manager, found }) => ({ request, manager, ...found }));
      return { changed: true, ...edited, patchText, warnings, secrets: delivered.secrets, injections };
    },
  };
}

interface Injected extends Granted<InjectorEdit> {
  readonly found?: Extract<Injection, { injected: true }>["found"];
}

async function injectFirst(
  managers: readonly Injector[],
  request: SecretRequest,
  context: InjectContext,
): Promise<Injected> {
  const reasons: string[] = [];
  for (const manager of managers) {
    const injection = await manager.inject(request, context);
    if (injection.injected) return { request, manager: manager.name, ...injection };
    reasons.push(`${manager.name}: ${injection.reason}`);
  }
  throw new SecretsError(
    "not_injected",
    `none of the secret managers injected secret ${requestName(request)}: ${reasons.join("; ")}`,
  );
}
