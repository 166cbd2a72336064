import { ByteBudget, type PodLimits, type ScopeLevel, type SecretId, type SecretRequest } from "@flyte-secrets/core";
import { type Covered, filesAlikeButForCase, placedFiles, toCovered } from "./checks/covered-mounts.ts";
import { checkFiles, checkMounts } from "./checks/files.ts";
import { guardPatch } from "./checks/patch-guard.ts";
import { checkVariables } from "./checks/variables.ts";
import type { Delivery, KubernetesSecret } from "./delivery/delivery.ts";
import type { Injection, VariableNaming } from "./managers/injector.ts";
import { DIRECTORY_EDITS } from "./managers/injector.ts";
import { createPodEditor, type PodEditor, REMEMBERED_CONTAINERS } from "./pod/apply-edits.ts";
import type { PodEdit } from "./pod/edit.ts";

/** A request and the manager that serves it. */
export interface Served {
  readonly request: SecretRequest;
  readonly manager: string;
  readonly injection: Extract<Injection, { injected: true }>;
  /** The image-pull Secret that goes with the secret that was found. */
  readonly pullSecret?: string;
}

/** Which manager served which request. */
export interface InjectionRecord {
  readonly request: SecretRequest;
  readonly manager: string;
  /** Where the secret was found, with a manager that looks for it. */
  readonly level?: ScopeLevel;
  readonly id?: SecretId;
}

/** What some injections do to a pod, whichever pod it is. */
export interface MutationPlan {
  readonly editor: PodEditor;
  /** What the pod will refer to. */
  readonly secrets: readonly KubernetesSecret[];
  /** Image-pull Secrets that it will refer to. */
  readonly pullSecrets: readonly string[];
  /** What may not work. */
  readonly warnings: readonly string[];
  /** What mounts of a pod's own may be in the way of. */
  readonly covered: Covered;
  readonly injections: readonly InjectionRecord[];
}

/** What the plans of one mutator are made with. */
export interface PlannerOptions {
  readonly delivery: Delivery;
  readonly variables: VariableNaming;
  readonly limits: PodLimits;
}

/** What all plans that are kept may take. */
const MAX_BYTES = 32 * 1024 * 1024;
/** Rough cost of an edit in a plan: of itself, and of its operation for each container. */
const EDIT_BYTES = 200;
/** Rough cost of a plan beside its edits: nearly all of it is the text of its patch. */
const PLAN_BYTES = 16_384;

/**
 * Makes the plans of one mutator. Managers that give the same injections for the same requests, as Embedded does while a value
 * stays the same, get the same plan: the pods of one task are many. A plan is kept no longer than its first injection.
 */
export function createPlanner(options: PlannerOptions): (served: readonly Served[]) => MutationPlan {
  let kept = new WeakMap<object, { readonly served: readonly Served[]; readonly plan: MutationPlan }>();
  const budget = new ByteBudget(MAX_BYTES, () => {
    kept = new WeakMap();
  });
  return (served) => {
    const key = served[0]?.injection;
    const last = key && kept.get(key);
    if (last && isSame(last.served, served)) return last.plan;
    const plan = makePlan(served, options);
    const edits = served.reduce((sum, { injection }) => sum + injection.edits.length, 0);
    const bytes = PLAN_BYTES + edits * EDIT_BYTES * (1 + REMEMBERED_CONTAINERS);
    if (key && budget.admit(bytes)) kept.set(key, { served, plan });
    return plan;
  };
}

function isSame(last: readonly Served[], now: readonly Served[]): boolean {
  if (last.length !== now.length) return false;
  for (let at = 0; at < last.length; at++) {
    if (last[at]?.injection !== now[at]?.injection || last[at]?.request !== now[at]?.request) return false;
    if (last[at]?.pullSecret !== now[at]?.pullSecret) return false;
  }
  return true;
}

function makePlan(served: readonly Served[], { delivery, variables, limits }: PlannerOptions): MutationPlan {
  const granted = served.map(({ request, manager, injection }) => ({ ...injection, request, manager }));
  checkFiles(granted);
  const steering = checkVariables(granted, variables);
  const delivered = delivery.deliver(granted.map(({ edits }) => edits));
  const mounts = checkMounts(granted.map((one, at) => ({ ...one, edits: delivered.edits[at] ?? [] })));
  const files = placedFiles(granted);
  const warnings = firstOf([...steering, ...filesAlikeButForCase(files), ...mounts], limits.warnings);
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
    covered: toCovered(files, delivered.edits.flat()),
    injections: granted.map(({ request, manager, found }) => ({ request, manager, ...found })),
  };
}

/** At most `max` warnings: with more, the last says how many were left out. */
function firstOf(warnings: readonly string[], max: number): readonly string[] {
  if (warnings.length <= max) return warnings;
  const shown = warnings.slice(0, max - 1);
  return [...shown, `${warnings.length - shown.length} more warnings are left out (webhook.limits.warnings)`];
}
