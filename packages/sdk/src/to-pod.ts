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

/** The container of the task, and the scope that it runs in. */
export interface PodOptions {
  /** The container's image. */
  readonly image: string;
  readonly project: string;
  readonly domain: string;
  /** Default `flyte`, the organization of Flyte's open-source backend. */
  readonly org?: string | undefined;
  /** Default `<project>-<domain>`, whose pods may claim that project and domain. */
  readonly namespace?: string | undefined;
  /** The pod's name. Default: the task's, in the characters and the length that Kubernetes allows. */
  readonly name?: string | undefined;
  readonly command?: readonly string[] | undefined;
  readonly args?: readonly string[] | undefined;
  /** Variables of the container. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly serviceAccountName?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Requests of the workflows around the task. Default: those around this call of `toPod`. */
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

/** A task, or a method that a decorator has made a task without changing its type. */
export type TaskLike = { readonly definition: TaskDefinition } | ((...input: never[]) => Promise<unknown>);

/**
 * Returns the pod of a task: one container, with the labels and annotations that Flyte's webhook reads. The label that
 * selects the pod for the webhook is set only if there are requests. Throws `invalid_argument` when `task` is no task,
 * or the scope breaks a rule.
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

/** The namespace in which Flyte runs pods of a project and domain; `default` without both. */
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
