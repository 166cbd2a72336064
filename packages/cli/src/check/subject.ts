import {
  checkLimit,
  excerpt,
  fromRequestAnnotations,
  type PodLimits,
  type SecretRequest,
  type SecretScope,
} from "@flyte-secrets/core";
import type { Pod } from "@flyte-secrets/inject";
import { toPod } from "@flyte-secrets/sdk";
import { isSent, objectTitle, podsInObject } from "../manifests/pod-in-object.ts";
import type { KubernetesObject } from "../manifests/read-manifests.ts";
import { withSparkPods } from "../manifests/spark-pods.ts";
import type { ProjectNeeds } from "../project-file/project-file.ts";
import type { DeclaredTask } from "./read-tasks.ts";

/** Something that asks for secrets, as the pod in which it would. */
export interface Subject {
  /** As it was named. */
  readonly file: string;
  /** How verdicts call it. */
  readonly title: string;
  /** What it asks for. Throws `limit_exceeded` for more than a pod may, and as `fromRequestAnnotations` does. */
  requests(): readonly SecretRequest[];
  /** Which of them it can go without. */
  readonly optional: ReadonlySet<SecretRequest>;
  /** The pod that asks for these of its requests. Throws as `toPod` does. */
  podFor(requests: readonly SecretRequest[]): { readonly pod: Pod; readonly namespace: string };
  /** Whether the API server would send the pod to the webhook. */
  readonly isSent: boolean;
}

/** Where a task's pod is created, and what it may ask for. */
export interface TaskPlace {
  readonly scope: SecretScope;
  /** `webhook.limits`. */
  readonly limits: PodLimits;
}

/** How verdicts call a task: `task train`. */
export function taskTitle({ kind, fullName }: Pick<DeclaredTask, "kind" | "fullName">): string {
  return `${kind} ${excerpt(fullName)}`;
}

const NOTHING: ReadonlySet<SecretRequest> = new Set();

/** A task, as the pod that Flyte creates for it. */
export function toTaskSubject(file: string, task: Omit<DeclaredTask, "name">, place: TaskPlace): Subject {
  return { ...askingTask(task.fullName, task.requests, place), file, title: taskTitle(task), optional: NOTHING };
}

/** What a project file declares, as one task would ask for it. */
export function toProjectSubject(file: string, { secrets }: ProjectNeeds, place: TaskPlace): Subject {
  const requests = secrets.map(({ request }) => request);
  const optional = new Set(secrets.filter((one) => one.optional).map(({ request }) => request));
  return { ...askingTask("project", requests, place), file, title: "project", optional };
}

function askingTask(name: string, requests: readonly SecretRequest[], { scope, limits }: TaskPlace) {
  return {
    isSent: true,
    requests() {
      checkLimit(limits, "requests", { what: "requests of the task", amount: requests.length });
      return requests;
    },
    podFor(asked: readonly SecretRequest[]) {
      const definition = { name, kind: "task", requests: asked } as const;
      const pod = toPod({ definition }, { image: "any", ...scope, inherited: [] });
      return { pod, namespace: pod.metadata.namespace };
    },
  };
}

export interface PodSubjectsOptions extends Pick<TaskPlace, "limits"> {
  /** For objects that name no namespace. */
  readonly namespace: string;
}

/** The pods of the objects in a manifest, those in templates included, in their order. */
export function toPodSubjects(
  file: string,
  objects: readonly KubernetesObject[],
  { namespace, limits }: PodSubjectsOptions,
): readonly Subject[] {
  return objects.flatMap(withSparkPods).flatMap((object) => {
    const found = podsInObject(object, namespace);
    return found.map(({ pod, pointer, namespace: own }): Subject => {
      const title = objectTitle(object, namespace);
      return {
        file,
        title: found.length > 1 ? `${title} at ${pointer}` : title,
        optional: NOTHING,
        isSent: isSent(pod),
        requests: () => fromRequestAnnotations(pod.metadata?.annotations ?? {}, limits),
        podFor: () => ({ pod, namespace: own }),
      };
    });
  });
}
