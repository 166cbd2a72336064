import { fromRequestAnnotations, SecretsError } from "@flyte-secrets/core";
import type { Pod } from "@flyte-secrets/inject";
import { expect, expectTypeOf, test } from "vitest";
import { Secret } from "./secret.ts";
import { task, workflow } from "./task.ts";
import { type TaskPod, toPod } from "./to-pod.ts";

const place = { image: "registry.example/task:1", project: "my-project", domain: "development" };

test("the pod carries the requests, and whose it is", () => {
  const made = task({ name: "Train Model!", secretRequests: [new Secret({ key: "my_key" })] }, async () => {});
  expect(toPod(made, place)).toEqual({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "train-model",
      namespace: "my-project-development",
      labels: {
        organization: "flyte",
        domain: "development",
        project: "my-project",
        "inject-flyte-secrets": "true",
      },
      annotations: { "flyte.secrets/s0": "nnsxsoraejwxsx2lmv3secq" },
    },
    spec: { restartPolicy: "Never", containers: [{ name: "task", image: "registry.example/task:1" }] },
  });
  expectTypeOf<TaskPod>().toExtend<Pod>();
});

test.each([
  ["", "development", "development"],
  ["", "", "default"],
])("a pod of project %j and domain %j is in namespace %s", (project, domain, namespace) => {
  const made = task({ name: "t" }, async () => {});
  expect(toPod(made, { ...place, project, domain }).metadata.namespace).toBe(namespace);
});

test("every option has its place, and ours win over the caller's labels", () => {
  const made = task({ name: "t" }, async () => {});
  const pod = toPod(made, {
    ...place,
    org: "acme",
    namespace: "jobs",
    name: "t-1",
    command: ["node"],
    args: ["main.js"],
    env: { MODE: "fast" },
    serviceAccountName: "runner",
    labels: { team: "x", project: "not-mine" },
    annotations: { note: "y" },
  });
  expect(pod).toEqual({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "t-1",
      namespace: "jobs",
      labels: { team: "x", organization: "acme", domain: "development", project: "my-project" },
      annotations: { note: "y" },
    },
    spec: {
      restartPolicy: "Never",
      serviceAccountName: "runner",
      containers: [
        {
          name: "task",
          image: "registry.example/task:1",
          command: ["node"],
          args: ["main.js"],
          env: [{ name: "MODE", value: "fast" }],
        },
      ],
    },
  });
});

test("inherited requests come first: those given, else those of the workflow around", async () => {
  const made = task({ name: "t", secrets: "own" }, async () => {});
  const keys = (pod: TaskPod): string[] => fromRequestAnnotations(pod.metadata.annotations).map(({ key }) => key);
  const inherited = [new Secret({ key: "given" }).toRequest()];
  const wf = workflow({ name: "wf", secrets: "around" }, async () => [
    keys(toPod(made, place)),
    keys(toPod(made, { ...place, inherited })),
  ]);
  expect(await wf()).toEqual([
    ["around", "own"],
    ["given", "own"],
  ]);
});

test("a decorated method is a task", () => {
  class Jobs {
    @task({ secrets: "k" })
    async train(): Promise<void> {}
  }
  expect(toPod(new Jobs().train, place).metadata.name).toBe("train");
});

test.each<[string, () => unknown, RegExp]>([
  ["a plain function", () => toPod(async () => {}, place), /^toPod takes a task: make one with task/],
  [
    "a scope out of rules",
    () =>
      toPod(
        task({ name: "t" }, () => {}),
        { ...place, domain: "a__b" },
      ),
    /^domain: must be a DNS-1123 label/,
  ],
])("%s is refused", (_, make, message) => {
  expect(make).toThrow(SecretsError);
  expect(make).toThrow(message);
});
