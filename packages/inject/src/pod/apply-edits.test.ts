import { DEFAULT_POD_LIMITS, type PodLimits, SecretsError } from "@flyte-secrets/core";
import { describe, expect, it } from "vitest";
import { setVariable } from "../managers/injector.ts";
import { applyEdits, createPodEditor } from "./apply-edits.ts";
import type { OwnContainer, PodEdit } from "./edit.ts";
import { parsePod } from "./parse-pod.ts";
import type { Pod, Volume } from "./pod.ts";

const VOLUME: PodEdit = { kind: "volume", volume: { name: "secrets", emptyDir: { medium: "Memory" } } };
const MOUNT: PodEdit = { kind: "mount", mount: { name: "secrets", mountPath: "/secrets", readOnly: true } };
const PULL: OwnContainer = {
  name: "pull-",
  image: "puller",
  command: ["pull"],
  env: [{ name: "WHAT", value: "a" }],
  volumeMounts: [{ name: "secrets", mountPath: "/secrets" }],
};

function podWith(spec: Partial<Pod["spec"]>): Pod {
  return parsePod({ metadata: { name: "pod" }, spec: { containers: [{ name: "main" }], ...spec } });
}

describe("limits", () => {
  const variables = ["A", "B", "C"].map((name) => setVariable(name, "value"));
  const containers = (count: number) => Array.from({ length: count }, (_, at) => ({ name: `c${at}` }));
  const edit = (edits: readonly PodEdit[], limits: Partial<PodLimits>, pod: Pod, only?: ReadonlySet<string>) =>
    createPodEditor(edits, { ...DEFAULT_POD_LIMITS, ...limits }).edit(pod, only);

  it("count each variable and mount once for each container that gets it, also for our own", () => {
    const pod = podWith({ containers: containers(2), initContainers: containers(1) });
    const own: PodEdit = { kind: "initContainer", container: PULL, numbered: true };
    const edits = [...variables, VOLUME, MOUNT, own];
    expect(() => edit(edits, { edits: 16 }, pod)).not.toThrow();
    const message = "variables and mounts in the pod's containers: 16 is over the limit of 15 (webhook.limits.edits)";
    expect(() => edit(edits, { edits: 15 }, pod)).toThrow(new SecretsError("limit_exceeded", message));
  });

  it("are the same for a pod that is sent again, with our containers in it", () => {
    const own = ["a", "b"].map(
      (value): PodEdit => ({
        kind: "initContainer",
        container: { ...PULL, env: [{ name: "WHAT", value }] },
        numbered: true,
      }),
    );
    const edits = [...variables, VOLUME, MOUNT, ...own];
    const { pod } = applyEdits(podWith({}), edits);
    expect(edit(edits, { edits: 12 }, pod).operations).toEqual([]);
    expect(() => edit(edits, { edits: 11 }, pod)).toThrow("12 is over the limit of 11");
  });

  it("count containers that are named, each of a name that several have", () => {
    const pod = podWith({ containers: [...containers(2), ...containers(2)] });
    const only = new Set(["c1"]);
    expect(() => edit(variables, { edits: 6 }, pod, only)).not.toThrow();
    expect(() => edit(variables, { edits: 5 }, pod, only)).toThrow("6 is over the limit of 5");
  });

  it("are about the bytes of the whole patch, and are looked at before it is made where its texts tell", () => {
    const pod = podWith({ containers: containers(3) });
    const { json } = edit(variables, {}, pod);
    const bytes = Buffer.byteLength(json);
    expect(edit(variables, { patchBytes: bytes }, pod).json).toBe(json);
    const over = (limits: Partial<PodLimits>) => () => edit(variables, limits, pod);
    const message = `bytes of the pod's patch: ${bytes} is over the limit of ${bytes - 1} (webhook.limits.patchBytes)`;
    expect(over({ patchBytes: bytes - 1 })).toThrow(new SecretsError("limit_exceeded", message));
    const large = setVariable("L", "x".repeat(1_000_000));
    const many = podWith({ containers: containers(2_000) });
    expect(() => edit([large], {}, many)).toThrow(
      "2000022000 is over the limit of 1048576 (webhook.limits.patchBytes)",
    );
  });

  it("count bytes, not characters", () => {
    const umlauts = setVariable("U", "ü".repeat(100));
    const { json } = edit([umlauts], {}, podWith({}));
    expect(() => edit([umlauts], { patchBytes: json.length }, podWith({}))).toThrow("webhook.limits.patchBytes");
  });
});

describe("mounts", () => {
  const others = Array.from({ length: 200 }, (_, at) => ({ name: `v${at}`, mountPath: `/m${at}` }));
  const mounts = [VOLUME, MOUNT];
  const edited = (volumeMounts: { name: string; mountPath: string }[]) =>
    applyEdits(podWith({ containers: [{ name: "main", volumeMounts }] }), mounts).patch.length;

  it("among many others are added, left as they are, and refused where another volume is", () => {
    const ours = { name: "secrets", mountPath: "/secrets" };
    expect(edited(others)).toBe(2);
    expect(edited([...others, ours])).toBe(1);
    expect(() => edited([...others, { ...ours, name: "other" }, { ...ours, name: "later" }])).toThrow(
      new SecretsError(
        "pod_conflict",
        'container "main" mounts volume "other" at /secrets, where secrets go (volume "secrets"): mount it elsewhere',
      ),
    );
  });
});

describe("the place of secrets", () => {
  const spellings = [
    "/secrets/",
    "//secrets",
    "/./secrets",
    "/secrets/.",
    "/x/../secrets",
    "secrets",
    "./secrets",
    "///secrets//",
  ];
  const few = (mountPath: string) => [{ name: "mine", mountPath }];
  const many = (mountPath: string) => [
    ...Array.from({ length: 200 }, (_, at) => ({ name: `v${at}`, mountPath: `/m${at}` })),
    ...few(mountPath),
  ];
  const containers = (volumeMounts: { name: string; mountPath: string }[]) => [{ name: "main", volumeMounts }];

  it.each(spellings)("is refused to another volume that is mounted at %s", (path) => {
    for (const mounts of [few(path), many(path)]) {
      expect(() => applyEdits(podWith({ containers: containers(mounts) }), [MOUNT])).toThrow("where secrets go");
      const init = { containers: containers([]), initContainers: containers(mounts) };
      expect(() => applyEdits(podWith(init), [MOUNT])).toThrow("where secrets go");
    }
  });

  it.each([
    "/secrets2",
    "/x/secrets",
    "/secrets/../other",
    "/",
    "/secret",
    "/...secrets",
    "C:\\\\secrets",
  ])("is left to a volume that is mounted at %s, which stays as it is written", (path) => {
    const { pod } = applyEdits(podWith({ containers: containers(few(path)) }), [MOUNT]);
    expect(pod.spec.containers[0]?.volumeMounts?.map(({ mountPath }) => mountPath)).toEqual([path, "/secrets"]);
  });
});

describe("variables", () => {
  it("go to the front of all containers, the last one set first, and replace those of their name", () => {
    const pod = podWith({
      containers: [
        { name: "main", env: [{ name: "A", value: "old" }, { name: "USER", value: "$(A)" }, { name: "A" }] },
      ],
      initContainers: [{ name: "init", env: null }],
    });
    const edits = [setVariable("A", "1"), setVariable("B", "2")];
    expect(applyEdits(pod, edits)).toEqual({
      pod: {
        metadata: { name: "pod" },
        spec: {
          containers: [
            {
              name: "main",
              env: [
                { name: "B", value: "2" },
                { name: "A", value: "1" },
                { name: "USER", value: "$(A)" },
              ],
            },
          ],
          initContainers: [
            {
              name: "init",
              env: [
                { name: "B", value: "2" },
                { name: "A", value: "1" },
              ],
            },
          ],
        },
      },
      patch: [
        { op: "remove", path: "/spec/containers/0/env/2" },
        { op: "remove", path: "/spec/containers/0/env/0" },
        { op: "add", path: "/spec/containers/0/env/0", value: { name: "B", value: "2" } },
        { op: "add", path: "/spec/containers/0/env/1", value: { name: "A", value: "1" } },
        {
          op: "add",
          path: "/spec/initContainers/0/env",
          value: [
            { name: "B", value: "2" },
            { name: "A", value: "1" },
          ],
        },
      ],
    });
  });

  it("leave a container alone that has them in front already, an empty one also without a value", () => {
    const pod = podWith({ containers: [{ name: "main", env: [{ name: "EMPTY" }, { name: "A", value: "1" }] }] });
    expect(applyEdits(pod, [setVariable("A", "1"), setVariable("EMPTY", "")])).toEqual({ pod, patch: [] });
  });

  it("are set again where one of their name has another source", () => {
    const there = { name: "A", valueFrom: { secretKeyRef: { name: "s", key: "k", optional: true } } };
    const wanted = { name: "A", valueFrom: { secretKeyRef: { name: "s", key: "k" } } };
    const { patch } = applyEdits(podWith({ containers: [{ name: "main", env: [there] }] }), [
      { kind: "env", variable: wanted },
    ]);
    expect(patch).toEqual([
      { op: "remove", path: "/spec/containers/0/env/0" },
      { op: "add", path: "/spec/containers/0/env/0", value: wanted },
    ]);
  });
});

describe("mounts", () => {
  it("go to the end of all containers that mount no volume of that name", () => {
    const data = { name: "data", mountPath: "/data" };
    const own = { name: "secrets", mountPath: "/elsewhere" };
    const pod = podWith({
      containers: [{ name: "a", volumeMounts: [data] }, { name: "b" }, { name: "c", volumeMounts: [own] }],
    });
    const mount = { name: "secrets", mountPath: "/secrets", readOnly: true };
    expect(applyEdits(pod, [MOUNT, MOUNT])).toEqual({
      pod: {
        metadata: { name: "pod" },
        spec: {
          containers: [
            { name: "a", volumeMounts: [data, mount] },
            { name: "b", volumeMounts: [mount] },
            { name: "c", volumeMounts: [own] },
          ],
        },
      },
      patch: [
        { op: "add", path: "/spec/containers/0/volumeMounts/-", value: mount },
        { op: "add", path: "/spec/containers/1/volumeMounts", value: [mount] },
      ],
    });
  });

  it("reject a pod that has another volume at that path", () => {
    const pod = podWith({ containers: [{ name: "main", volumeMounts: [{ name: "mine", mountPath: "/secrets" }] }] });
    expect(() => applyEdits(pod, [MOUNT])).toThrow(
      'container "main" mounts volume "mine" at /secrets, where secrets go (volume "secrets"): mount it elsewhere',
    );
  });
});

describe("volumes", () => {
  const secret = (secretName: string, ...keys: string[]): Volume => ({
    name: "secrets",
    secret: { secretName, items: keys.map((key) => ({ key, path: key.toLowerCase() })) },
  });

  it("go to the end, once by name", () => {
    const pod = podWith({ volumes: [{ name: "data", emptyDir: {} }] });
    expect(applyEdits(pod, [VOLUME, VOLUME]).patch).toEqual([
      { op: "add", path: "/spec/volumes/-", value: { name: "secrets", emptyDir: { medium: "Memory" } } },
    ]);
    expect(applyEdits(podWith({}), [VOLUME]).patch).toEqual([
      { op: "add", path: "/spec/volumes", value: [{ name: "secrets", emptyDir: { medium: "Memory" } }] },
    ]);
  });

  it("of the same Secret get the items that are missing", () => {
    const there = { ...secret("db", "A"), secret: { ...secret("db", "A").secret, defaultMode: 420 } };
    const { pod, patch } = applyEdits(podWith({ volumes: [there] }), [
      { kind: "volume", volume: secret("db", "A", "B") },
    ]);
    expect(pod.spec.volumes).toEqual([
      {
        ...there,
        secret: {
          ...there.secret,
          items: [
            { key: "A", path: "a" },
            { key: "B", path: "b" },
          ],
        },
      },
    ]);
    expect(patch).toEqual([{ op: "add", path: "/spec/volumes/0/secret/items/-", value: { key: "B", path: "b" } }]);
  });

  it("that were written for older values are replaced", () => {
    const [old, now] = ["a", "b"].map((digit) => secret(`flyte-secrets-${digit.repeat(32)}`, "A"));
    if (!old || !now) throw new Error("two volumes");
    expect(applyEdits(podWith({ volumes: [old] }), [{ kind: "volume", volume: now }]).patch).toEqual([
      { op: "replace", path: "/spec/volumes/0", value: now },
    ]);
  });

  it("that were written in one Secret, or of several Secrets, are replaced by those of the values as they are now", () => {
    const written = ["a", "b", "c"].map((digit) => `flyte-secrets-${digit.repeat(32)}`);
    const [together = "", one = "", other = ""] = written;
    const source = (name: string) => ({ secret: { name, items: [{ key: name, path: name }] } });
    const now: Volume = { name: "secrets", projected: { sources: [source(one), source(other)], defaultMode: 0o444 } };
    for (const there of [
      secret(together, "A", "B"),
      { name: "secrets", projected: { sources: [source(one), source(together)], defaultMode: 0o444 } },
    ]) {
      const { pod, patch } = applyEdits(podWith({ volumes: [there] }), [{ kind: "volume", volume: now }]);
      expect(patch).toEqual([{ op: "replace", path: "/spec/volumes/0", value: now }]);
      expect(applyEdits(pod, [{ kind: "volume", volume: now }]).patch).toEqual([]);
    }
  });

  it.each<[string, Volume]>([
    ["on disk", { name: "secrets", emptyDir: {} }],
    [
      "of a Secret of ours beside a token",
      {
        name: "secrets",
        projected: { sources: [{ secret: { name: `flyte-secrets-${"a".repeat(32)}` } }, { serviceAccountToken: {} }] },
      },
    ],
    ["of a Secret", secret("theirs", "A")],
    ["of a host path", { name: "secrets", hostPath: { path: "/" } }],
    ["of several Secrets", { name: "secrets", projected: { sources: [{ secret: { name: "theirs" } }] } }],
  ])("reject a pod that has one of that name %s", (_, volume) => {
    const message = 'volume "secrets" has the name of a volume that flyte-secrets adds, but another source: rename it';
    expect(() => applyEdits(podWith({ volumes: [volume] }), [VOLUME])).toThrow(message);
    expect(() => applyEdits(podWith({ volumes: [volume] }), [{ kind: "volume", volume: secret("ours", "A") }])).toThrow(
      message,
    );
  });
});

describe("init containers", () => {
  const pull: PodEdit = { kind: "initContainer", container: PULL, numbered: true };

  it("go to the end with their number, and get only what comes after them", () => {
    const edits = [setVariable("BEFORE", "1"), pull, MOUNT, setVariable("AFTER", "2")];
    const { pod, patch } = applyEdits(podWith({ initContainers: [{ name: "init" }] }), edits);
    const added = { ...PULL, name: "pull-1", env: [{ name: "AFTER", value: "2" }, ...PULL.env] };
    expect(pod.spec.initContainers?.[1]).toEqual(added);
    expect(patch.at(-1)).toEqual({ op: "add", path: "/spec/initContainers/-", value: added });
    expect(applyEdits(pod, edits)).toEqual({ pod, patch: [] });
  });

  it("that are there for the same request are kept in their place, and get only what comes after them", () => {
    const kept = { ...PULL, name: "pull-7", terminationMessagePath: "/dev/termination-log" };
    const pod = podWith({ initContainers: [kept, { name: "init" }] });
    const { patch } = applyEdits(pod, [setVariable("BEFORE", "1"), pull, setVariable("AFTER", "2")]);
    expect(patch.filter(({ path }) => path.startsWith("/spec/initContainers"))).toEqual([
      { op: "add", path: "/spec/initContainers/0/env/0", value: { name: "AFTER", value: "2" } },
      {
        op: "add",
        path: "/spec/initContainers/1/env",
        value: [
          { name: "AFTER", value: "2" },
          { name: "BEFORE", value: "1" },
        ],
      },
    ]);
  });

  it("that are there for another request stay, and count for the number", () => {
    const other = { ...PULL, name: "pull-0", env: [{ name: "WHAT", value: "b" }] };
    expect(applyEdits(podWith({ initContainers: [other] }), [pull]).pod.spec.initContainers).toEqual([
      other,
      { ...PULL, name: "pull-1" },
    ]);
  });

  it("take a higher number where theirs is taken", () => {
    const other = { ...PULL, name: "pull-1", env: [{ name: "WHAT", value: "b" }] };
    expect(applyEdits(podWith({ initContainers: [other] }), [pull]).pod.spec.initContainers?.[1]?.name).toBe("pull-2");
  });

  it("without a number have their variables brought up to date in their place", () => {
    const fixed: PodEdit = { kind: "initContainer", container: { ...PULL, name: "pull" }, numbered: false };
    const there = { ...PULL, name: "pull", env: [{ name: "X" }, { name: "WHAT", value: "old" }] };
    const { patch } = applyEdits(podWith({ initContainers: [there] }), [fixed]);
    expect(patch).toEqual([
      { op: "replace", path: "/spec/initContainers/0/env/1", value: { name: "WHAT", value: "a" } },
    ]);
  });

  it("keep their own variables when a task asks for one of that name", () => {
    const { pod } = applyEdits(podWith({}), [pull, setVariable("WHAT", "the task's")]);
    expect(pod.spec.initContainers?.[0]?.env).toEqual(PULL.env);
    expect(pod.spec.containers[0]?.env).toEqual([{ name: "WHAT", value: "the task's" }]);
  });

  it.each([
    ["image", { ...PULL, name: "pull-0", image: "other" }],
    ["mount", { ...PULL, name: "pull-0", volumeMounts: [{ name: "secrets", mountPath: "/other" }] }],
    ["read-only mount", { ...PULL, name: "pull-0", volumeMounts: [{ ...PULL.volumeMounts[0], readOnly: true }] }],
  ])("reject a pod that has one of that name with another %s", (_, container) => {
    expect(() => applyEdits(podWith({ initContainers: [container] }), [pull])).toThrow(
      'container "pull-0" has the name of an init container that flyte-secrets adds, but another image, command or mount: rename it',
    );
  });

  it("reject a pod that has a container of that name", () => {
    expect(() => applyEdits(podWith({ containers: [{ name: "pull-0" }] }), [pull])).toThrow('container "pull-0" has');
  });
});

describe("annotations", () => {
  it("are added unless they are there, with names written as JSON pointers want them", () => {
    const edits: PodEdit[] = [
      { kind: "annotation", name: "a/b~c", value: "1" },
      { kind: "annotation", name: "theirs", value: "2" },
      { kind: "annotation", name: "a/b~c", value: "3" },
    ];
    const pod = parsePod({ metadata: { annotations: { theirs: "0" } }, spec: { containers: [] } });
    expect(applyEdits(pod, edits)).toEqual({
      pod: { metadata: { annotations: { theirs: "0", "a/b~c": "1" } }, spec: { containers: [] } },
      patch: [{ op: "add", path: "/metadata/annotations/a~1b~0c", value: "1" }],
    });
  });

  it("are made where there are none", () => {
    const edits: PodEdit[] = [{ kind: "annotation", name: "a", value: "1" }];
    expect(applyEdits(parsePod({ metadata: {}, spec: { containers: [] } }), edits).patch).toEqual([
      { op: "add", path: "/metadata/annotations", value: { a: "1" } },
    ]);
    expect(applyEdits(parsePod({ spec: { containers: [] } }), edits).patch).toEqual([
      { op: "add", path: "/metadata", value: { annotations: { a: "1" } } },
    ]);
  });
});

describe("what the pod has", () => {
  it("is shared with the result where it doesn't change, and in no operation", () => {
    const container = {
      name: "main",
      env: [{ name: "HUGE", value: "1" }],
      ports: [{ containerPort: 9007199254740993n }],
    };
    const pod: Pod = { spec: { containers: [container], affinity: { future: 1 } }, status: {} };
    const { pod: edited, patch } = applyEdits(pod, [VOLUME, MOUNT, setVariable("A", "1")]);
    expect(edited.status).toBe(pod.status);
    expect(edited.spec.affinity).toBe(pod.spec.affinity);
    expect(edited.spec.containers[0]?.ports).toBe(container.ports);
    // A bigint has no JSON: that this works shows that none of the pod's own is in it.
    expect(JSON.stringify(patch)).not.toContain("HUGE");
  });
});

describe("image-pull Secrets", () => {
  const EDITS: PodEdit[] = ["pull-b", "pull-a", "pull-b"].map((name) => ({ kind: "imagePullSecret", name }));

  it("are named once each, sorted, in a list that is made for them", () => {
    const value = [{ name: "pull-a" }, { name: "pull-b" }];
    for (const spec of [{}, { imagePullSecrets: null }]) {
      expect(applyEdits(podWith(spec), EDITS)).toEqual({
        pod: podWith({ imagePullSecrets: value }),
        patch: [{ op: "add", path: "/spec/imagePullSecrets", value }],
      });
    }
  });

  it("go after the pod's own, which keep their order, unless they are among them", () => {
    const own = [{ name: "pull-z" }, { name: "pull-b" }, {}];
    const result = applyEdits(podWith({ imagePullSecrets: own }), EDITS);
    expect(result).toEqual({
      pod: podWith({ imagePullSecrets: [...own, { name: "pull-a" }] }),
      patch: [{ op: "add", path: "/spec/imagePullSecrets/-", value: { name: "pull-a" } }],
    });
    expect(applyEdits(result.pod, EDITS).patch).toEqual([]);
  });
});
