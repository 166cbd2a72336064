import { ByteBudget, type PodLimits, type ScopeLevel, type SecretId, type SecretRequest } from "@flyte-secrets/core";
import { findCaseConflicts, listPlacedFiles, type PlacedSecrets, toPlacedSecrets } from "./checks/covered-mounts.ts";
import { checkSecretFiles, checkSecretMounts } from "./checks/files.ts";
import { guardPatch } from "./checks/patch-guard.ts";
import { checkSecretVariables } from "./checks/variables.ts";
import type { Delivery, SecretToDeliver } from "./delivery/delivery.ts";
import type { Injection, VariableNaming } from "./managers/injector.ts";
import { DIRECTORY_EDITS } from "./managers/injector.ts";
import { CACHED_CONTAINERS, createPodEditor, type PodEditor } from "./pod/apply-edits.ts";
import type { PodEdit } from "./pod/edit.ts";

/** A request, and the manager that serves it. */
export interface ServedRequest {
  readonly request: SecretRequest;
  readonly manager: string;
  readonly injection: Extract<Injection, { injected: true }>;
  /** The image-pull Secret of the secret that was found. */
  readonly pullSecret?: string;
}

/** The manager that served a request. */
export interface InjectionRecord {
  readonly request: SecretRequest;
  readonly manager: string;
  /** The scope at which the secret was found, by a manager that looks one up. */
  readonly level?: ScopeLevel;
  readonly id?: SecretId;
}

/** The effect of a list of injections, which is the same for all pods. */
export interface MutationPlan {
  readonly editor: PodEditor;
  /** The Secrets to which the pod refers. */
  readonly secrets: readonly SecretToDeliver[];
  /** The image-pull Secrets to which the pod refers. */
  readonly pullSecrets: readonly string[];
  /** Warnings for the user. */
  readonly warnings: readonly string[];
  /** The files that a pod's own mounts may cover. */
  readonly covered: PlacedSecrets;
  readonly injections: readonly InjectionRecord[];
}

/** The configuration of one mutator's plans. */
export interface PlannerOptions {
  readonly delivery: Delivery;
  readonly variables: VariableNaming;
  readonly limits: PodLimits;
}

/** The memory limit of the cache of plans. */
const MAX_BYTES = 32 * 1024 * 1024;
/** Rough cost of an edit in a plan, and again of its operation for each cached container. */
const EDIT_BYTES = 200;
/** Rough cost of a plan beside its edits; most of it is the text of the patch. */
const PLAN_BYTES = 16_384;

/**
 * Creates a function that makes the plans of one mutator, with a cache: many pods of one task have equal requests. A
 * plan is reused when all injections are the same objects, which Embedded returns while a value is unchanged, and it is
 * cached no longer than its first injection is in use.
 */
export function createMutationPlanner(options: PlannerOptions): (served: readonly ServedRequest[]) => MutationPlan {
  let kept = new WeakMap<object, { readonly served: readonly ServedRequest[]; readonly plan: MutationPlan }>();
  const budget = new ByteBudget(MAX_BYTES, () => {
    kept = new WeakMap();
  });
  return (served) => {
    const key = served[0]?.injection;
    const last = key && kept.get(key);
    if (last && isSame(last.served, served)) return last.plan;
    const plan = makePlan(served, options);
    const edits = served.reduce((sum, { injection }) => sum + injection.edits.length, 0);
    const bytes = PLAN_BYTES + edits * EDIT_BYTES * (1 + CACHED_CONTAINERS);
    if (key && budget.admit(bytes)) kept.set(key, { served, plan });
    return plan;
  };
}

function isSame(last: readonly ServedRequest[], now: readonly ServedRequest[]): boolean {
  if (last.length !== now.length) return false;
  for (let at = 0; at < last.length; at++) {
    if (last[at]?.injection !== now[at]?.injection || last[at]?.request !== now[at]?.request) return false;
    if (last[at]?.pullSecret !== now[at]?.pullSecret) return false;
  }
  return true;
}

function makePlan(served: readonly ServedRequest[], { delivery, variables, limits }: PlannerOptions): MutationPlan {
  const granted = served.map(({ request, manager, injection }) => ({ ...injection, request, manager }));
  checkSecretFiles(granted);
  const steering = checkSecretVariables(granted, variables);
  const delivered = delivery.deliver(granted.map(({ edits }) => edits));
  const mounts = checkSecretMounts(granted.map((one, at) => ({ ...one, edits: delivered.edits[at] ?? [] })));
  const files = listPlacedFiles(granted);
  const warnings = limitWarnings([...steering, ...findCaseConflicts(files), ...mounts], limits.warnings);
  if (delivery.name !== "Inline") {
    const withSource = granted.map(({ edits }) => edits.flatMap((edit) => ("source" in edit ? [edit.source] : [])));
    guardPatch({
      edits: delivered.edits.filter((_, at) => withSource[at]?.length !== 0).flat(),
      sources: withSource.flat(),
      known: () => [JSON.stringify([served.map(({ request }) => request), variables, DIRECTORY_EDITS])],
    });
  }
  const pullSecrets = [...new Set(served.flatMap(({ pullSecret = [] }) => pullSecret))];
  const references = pullSecrets.map((name): PodEdit => ({ kind: "imagePullSecret", name }));
  return {
    editor: createPodEditor([...delivered.edits.flat(), ...references], limits),
    secrets: delivered.secrets,
    pullSecrets,
    warnings,
    covered: toPlacedSecrets(files, delivered.edits.flat()),
    injections: granted.map(({ request, manager, found }) => ({ request, manager, ...found })),
  };
}

/** At most `max` warnings. With more, the last has the number of those left out. */
function limitWarnings(warnings: readonly string[], max: number): readonly string[] {
  if (warnings.length <= max) return warnings;
  const shown = warnings.slice(0, max - 1);
  return [...shown, `${warnings.length - shown.length} more warnings are left out (webhook.limits.warnings)`];
}
