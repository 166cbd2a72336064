import { INJECT_LABEL } from "@flyte-secrets/core";
import { expect, test } from "vitest";
import { ask, taskPod } from "../testing/pod-manifests.ts";
import { explainMissingPod, podsInObject } from "./pod-in-object.ts";
import type { KubernetesObject } from "./read-manifests.ts";
import { withSparkPods } from "./spark-pods.ts";

const { metadata, spec } = taskPod([ask("k")]);
const template = { metadata: { labels: metadata.labels, annotations: metadata.annotations }, spec };
const object = (apiVersion: string, kind: string, spec: object): KubernetesObject => ({
  apiVersion,
  kind,
  metadata: { name: "a", namespace: "shop-dev" },
  spec,
  status: { template },
});
const replicas = { Master: { replicas: 1, template }, Worker: { replicas: 2, template } };
const cluster = { headGroupSpec: { template }, workerGroupSpecs: [{ groupName: "a/b", template }, { template }] };

test.each([
  [
    "PyTorchJob",
    object("kubeflow.org/v1", "PyTorchJob", { pytorchReplicaSpecs: replicas }),
    ["/spec/pytorchReplicaSpecs/Master/template", "/spec/pytorchReplicaSpecs/Worker/template"],
  ],
  [
    "TFJob",
    object("kubeflow.org/v1", "TFJob", { tfReplicaSpecs: { Chief: { template }, PS: { template } } }),
    ["/spec/tfReplicaSpecs/Chief/template", "/spec/tfReplicaSpecs/PS/template"],
  ],
  [
    "MPIJob",
    object("kubeflow.org/v2beta1", "MPIJob", { mpiReplicaSpecs: { Launcher: { template } } }),
    ["/spec/mpiReplicaSpecs/Launcher/template"],
  ],
  [
    "RayCluster",
    object("ray.io/v1", "RayCluster", cluster),
    ["/spec/headGroupSpec/template", "/spec/workerGroupSpecs/0/template", "/spec/workerGroupSpecs/1/template"],
  ],
  [
    "RayJob",
    object("ray.io/v1", "RayJob", { rayClusterSpec: cluster, submitterPodTemplate: template }),
    [
      "/spec/rayClusterSpec/headGroupSpec/template",
      "/spec/rayClusterSpec/workerGroupSpecs/0/template",
      "/spec/rayClusterSpec/workerGroupSpecs/1/template",
      "/spec/submitterPodTemplate",
    ],
  ],
  [
    "JobSet",
    object("jobset.x-k8s.io/v1alpha2", "JobSet", { replicatedJobs: [{ name: "w", template: { spec: { template } } }] }),
    ["/spec/replicatedJobs/0/template/spec/template"],
  ],
  ["Knative's Service", object("serving.knative.dev/v1", "Service", { template }), ["/spec/template"]],
  [
    "CronJob",
    object("batch/v1", "CronJob", { jobTemplate: { spec: { template } } }),
    ["/spec/jobTemplate/spec/template"],
  ],
  [
    "a kind that nobody knows",
    object("x.example.com/v1", "Trainer", { "a/b~c": [{ template }] }),
    ["/spec/a~1b~0c/0/template"],
  ],
])("finds the pods that a %s is made into", (_, one, pointers) => {
  const found = podsInObject(one, "default");
  expect(found.map(({ pointer }) => pointer)).toEqual(pointers);
  for (const { pod, namespace } of found) {
    expect(pod.metadata?.labels?.[INJECT_LABEL]).toBe("true");
    expect(namespace).toBe("shop-dev");
  }
});

test("a pod is found as itself alone, and nothing deep below an object is looked for", () => {
  const pod = { ...taskPod([]), spec: { ...spec, volumes: [{ name: "v", template }] } };
  expect(podsInObject(pod, "x").map(({ pointer }) => pointer)).toEqual([""]);
  let deep: object = { template };
  for (let level = 0; level < 5_000; level++) deep = { deep };
  expect(podsInObject(object("apps/v1", "Deployment", deep), "x")).toEqual([]);
});

test.each([
  ["v1", "Service", "there is no pod in it"],
  ["apps/v1", "Deployment", "there is no pod in it"],
  ["networking.k8s.io/v1", "Ingress", "there is no pod in it"],
  [undefined, undefined, "there is no pod in it"],
  ["kubernetes.dask.org/v1", "DaskJob", "how its kind makes pods isn't known here"],
  ["jobset.x-k8s.io/v1alpha2", "JobSet", "how its kind makes pods isn't known here"],
  ["sparkoperator.k8s.io/v1beta2", "SparkApplication", "how its kind makes pods isn't known here"],
])("of %s %s without a template it says so", (apiVersion, kind, why) => {
  expect(explainMissingPod({ apiVersion, kind })).toContain(why);
});

test("a SparkApplication stands for the pods of its driver and its executors", () => {
  const part = { labels: metadata.labels, annotations: metadata.annotations, env: [{ name: "A", value: "1" }] };
  const application = object("sparkoperator.k8s.io/v1beta2", "SparkApplication", {
    driver: part,
    executor: { ...part, template: { spec: { containers: [{ name: "spark-kubernetes-executor", image: "i" }] } } },
  });
  const scheduled = object("sparkoperator.k8s.io/v1beta2", "ScheduledSparkApplication", { template: application.spec });
  for (const one of [application, scheduled]) {
    const pods = withSparkPods(one).flatMap((made) => podsInObject(made, "default"));
    expect(pods.map(({ pod }) => [pod.metadata?.name, pod.spec.containers, pod.metadata?.annotations])).toEqual([
      ["a-driver", [{ name: "spark-kubernetes-driver", env: part.env }], metadata.annotations],
      ["a-executor", [{ name: "spark-kubernetes-executor", image: "i" }], metadata.annotations],
    ]);
  }
  const empty = object("sparkoperator.k8s.io/v1beta2", "SparkApplication", {});
  expect(withSparkPods(empty)).toEqual([empty]);
});
