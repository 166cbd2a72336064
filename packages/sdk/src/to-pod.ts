import {
  checkSecretScope,
  DEFAULT_ORGANIZATION,
  INJECT_LABEL,
  type SecretRequest,
  SecretsError,
  toRequestAnnotations,
} from "@flyte-secrets/core";
import { currentInheritance } from "./task.ts";
import { inheritRequests } from "./task-requests.ts";
import type { TaskDefinition } from "./task-runtime.ts";

/** How to run the task's one container, and as whose. */
export interface PodOptions {
  /** The container's image. */
  readonly image: string;
  readonly project: string;
  readonly domain: string;
  /** Default `flyte`, the organization of Flyte's open-source backend. */
  readonly org?: string | undefined;
  /** Default `<project>-<domain>`, whose pods may claim that project and domain. */
  readonly namespace?: string | undefined;
  /** The pod's name; default the task's, as far as Kubernetes takes it. */
  readonly name?: string | undefined;
  readonly command?: readonly string[] | undefined;
  readonly args?: readonly string[] | undefined;
  /** Variables of the container. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly serviceAccountName?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Requests of the workflows around the task; default those around this call of `toPod`. */
  readonly inherited?: readonly SecretRequest[] | undefined;
}

/** A pod that carries a task's secret requests, as JSON for Kubernetes. */
export type TaskPod = {
  apiVersion: "v1";
  kind: "Pod";
  metadata: {
    name: string;
    namespace: string;
    labels: Record<string, string>;
    annotations: Record<string, string>;
  };
  spec: {
    restartPolicy: "Never";
    serviceAccountName?: string;
    containers: {
      name: string;
      image: string;
      command?: string[];
      args?: string[];
      env?: { name: string; value: string }[];
    }[];
  };
};

/** A task, or a method that a decorator has made one (whose type doesn't say so). */
export type TaskLike = { readonly definition: TaskDefinition } | ((...input: never[]) => Promise<unknown>);

/**
 * The pod to submit for a task: the labels and annotations that Flyte's webhook reads, one container. The webhook's
 * label is set only when there is something to inject. `invalid_argument` when `task` is none, or the scope breaks a
 * rule.
 */
export function toPod(task: TaskLike, options: PodOptions): TaskPod {
  const { name, requests } = definitionOf(task);
  const { image, project, domain, org = DEFAULT_ORGANIZATION, command, args, env, serviceAccountName } = options;
  checkSecretScope({ org, domain, project });
  const asked = inheritRequests(requests, options.inherited ?? currentInheritance());
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: options.name ?? toPodName(name),
      namespace: options.namespace ?? toNamespace(project, domain),
      labels: {
        ...options.labels,
        organization: org,
        domain,
        project,
        ...(asked.length > 0 && { [INJECT_LABEL]: "true" }),
      },
      annotations: { ...options.annotations, ...toRequestAnnotations(asked) },
    },
    spec: {
      restartPolicy: "Never",
      ...(serviceAccountName !== undefined && { serviceAccountName }),
      containers: [
        {
          name: "task",
          image,
          ...(command !== undefined && { command: [...command] }),
          ...(args !== undefined && { args: [...args] }),
          ...(env !== undefined && {
            env: Object.entries(env).map(([variable, value]) => ({ name: variable, value })),
          }),
        },
      ],
    },
  };
}

function definitionOf(task: TaskLike): TaskDefinition {
  if ("definition" in task) return task.definition;
  throw new SecretsError("invalid_argument", "toPod takes a task: make one with task(...) or @task(...).");
}

/** Where Flyte runs the pods of a project and domain; of neither, where kubectl would. */
function toNamespace(project: string, domain: string): string {
  return [project, domain].filter((part) => part !== "").join("-") || "default";
}

/** A DNS-1123 label of at most 63 characters. */
function toPodName(name: string): string {
  const label = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 63);
  return label.replaceAll(/^-+|-+$/g, "") || "task";
}
