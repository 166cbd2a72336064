import { Agent } from "node:https";
import { connect } from "node:tls";
import { SecretsError } from "@flyte-secrets/core";
import type { Mutator } from "@flyte-secrets/inject";
import { describe, expect, it, onTestFinished } from "vitest";
import { ask, podReview, taskPod } from "../testing/pod-review.ts";
import { review, send } from "../testing/post-review.ts";
import { serveForTest } from "../testing/serve-for-test.ts";

const UID = "8f9e1b7a-6f0c-4b62-9e52-6d0b5b0f0d11";

function answer(response: object, apiVersion = "admission.k8s.io/v1") {
  return { kind: "AdmissionReview", apiVersion, response: { uid: UID, ...response } };
}

const UNCHANGED = { allowed: true, status: { code: 200, message: "No changes" } };
const ENV = [
  { name: "A", value: "value of a" },
  { name: "FLYTE_SECRETS_ENV_PREFIX", value: "_UNION_" },
];
const PATCH = JSON.stringify([{ op: "add", path: "/spec/containers/0/env", value: ENV }]);
const CHANGED = { allowed: true, patchType: "JSONPatch", patch: Buffer.from(PATCH).toString("base64") };
const POD = taskPod([ask("a", { envVar: "A" })]);

type Changer = Pick<Mutator, "computeChange">;

function failing(error: unknown): Changer {
  return {
    computeChange() {
      throw error;
    },
  };
}

describe("an admission review", () => {
  it.each([
    "admission.k8s.io/v1",
    "admission.k8s.io/v1beta1",
  ])("of %s is answered in its own version", async (version) => {
    const target = await serveForTest();
    const asked = { ...podReview(POD), apiVersion: version };
    expect(await review(target, asked)).toEqual(answer(CHANGED, version));
  });

  it.each(["ü", 'ü"\\\n\u{1f511}'])("is answered as JSON, with every character of its uid %j", async (uid) => {
    const target = await serveForTest();
    const { headers, text } = await send(target, JSON.stringify(podReview(POD, { uid })));
    expect(JSON.parse(text)).toEqual({ ...answer(CHANGED), response: { ...CHANGED, uid } });
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "content-length": `${Buffer.byteLength(text)}`,
    });
  });

  it.each<[string, object, object?]>([
    ["a pod without requests", taskPod([])],
    ["an update", POD, { operation: "UPDATE" }],
    ["a deletion", POD, { operation: "DELETE", object: null, oldObject: POD }],
    ["another kind", POD, { kind: { group: "apps", version: "v1", kind: "Deployment" } }],
    ["a pod of another group", POD, { kind: { group: "example.org", version: "v1", kind: "Pod" } }],
    ["a part of a pod", POD, { subResource: "ephemeralcontainers" }],
  ])("of %s is allowed without a change", async (_, object, request = {}) => {
    const target = await serveForTest();
    expect(await review(target, podReview(object, request))).toEqual(answer(UNCHANGED));
  });

  it("stands in for the namespace that a pod doesn't name", async () => {
    const target = await serveForTest();
    const { namespace: _, ...metadata } = POD.metadata;
    const pod = { ...POD, metadata };
    expect(await review(target, podReview(pod))).toEqual(answer(CHANGED));
    expect(await review(target, podReview(pod, { namespace: "elsewhere" }))).toMatchObject({
      response: { allowed: false, status: { code: 400 } },
    });
  });

  it.each([
    ["flyte", "x"],
    ["x", "flyte"],
    ["p-d", ""],
  ])("of a pod of namespace %s in a request for namespace %j is a rejection", async (namespace, requested) => {
    const target = await serveForTest();
    const pod = { ...POD, metadata: { ...POD.metadata, namespace } };
    const message = `the pod's metadata.namespace is "${namespace}", and the request is for namespace "${requested}": they must be the same`;
    expect(await review(target, podReview(pod, { namespace: requested }))).toEqual(
      answer({ allowed: false, status: { code: 400, message } }),
    );
  });

  it.each<[string, object, string]>([
    ["no spec", { metadata: {} }, "pod.spec must be an object"],
    [
      "an annotation that is no request",
      { ...POD, metadata: { ...POD.metadata, annotations: { "flyte.secrets/s0": "!" } } },
      "failed to unmarshal secrets from pod annotations: error unmarshaling secret [flyte.secrets/s0]. Error: illegal base32 data",
    ],
    [
      "a container that it names and hasn't",
      taskPod([ask("a")], { annotations: { "flyte.secrets/containers": "mian" } }),
      'annotation flyte.secrets/containers names container "mian", and the pod\'s are main',
    ],
  ])("of a pod with %s is a rejection that says so", async (_, pod, message) => {
    const target = await serveForTest();
    expect(await review(target, podReview(pod))).toEqual(answer({ allowed: false, status: { code: 400, message } }));
  });

  it("tells Flyte to try again when a backend is down", async () => {
    const target = await serveForTest({ mutator: failing(new SecretsError("store_unavailable", "the store is down")) });
    expect(await review(target, podReview(POD))).toEqual(
      answer({ allowed: false, status: { code: 503, message: "the store is down" } }),
    );
  });

  it("has an id for a fault of ours, under which the log tells the rest", async () => {
    const target = await serveForTest({ mutator: failing(new TypeError("cannot read x of undefined")) });
    const rejected = await review(target, podReview(POD));
    const [, id = "?"] = /log for ([0-9a-f-]{36})/.exec(JSON.stringify(rejected)) ?? [];
    const message = `internal error, see the webhook's log for ${id}`;
    expect(rejected).toEqual(answer({ allowed: false, status: { code: 500, message } }));
    expect(target.logged()).toMatch(new RegExp(`cannot read x of undefined.*"id":"${id}"`));
  });
});

describe("the time that the API server waits", () => {
  it("is not used up: a rejection comes before, and the lookup is told to end", async () => {
    const signals: AbortSignal[] = [];
    const mutator: Changer = {
      computeChange(_, { signal } = {}) {
        if (signal) signals.push(signal);
        return new Promise(() => {});
      },
    };
    const target = await serveForTest({ mutator });
    // How long before is `deadlines.test.ts`'s to say: here the machine may be busy.
    const late = await review(target, podReview(POD), { path: "/mutate--v1-pod?timeout=1s" });
    const message = "the secrets could not be read before the API server's time limit for the webhook: try again";
    expect(late).toEqual(answer({ allowed: false, status: { code: 503, message } }));
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it("is not spent by a decision that comes at once", async () => {
    const target = await serveForTest();
    expect(await review(target, podReview(POD), { path: "/mutate--v1-pod?timeout=nonsense" })).toEqual(answer(CHANGED));
    expect(await review(target, podReview(POD), { path: "/mutate--v1-pod" })).toEqual(answer(CHANGED));
  });
});

describe("what is no review", () => {
  const json = "application/json";
  it.each<[string, number, string, string | Buffer, object]>([
    ["another path", 404, "there is nothing here: reviews go to /mutate--v1-pod\n", "{}", { path: "/" }],
    ["another method", 405, "use POST\n", "", { method: "GET" }],
    [
      "another type",
      415,
      "the content type must be application/json\n",
      "{}",
      { headers: { "content-type": "text/plain" } },
    ],
    [
      "a type like it",
      415,
      "the content type must be application/json\n",
      "{}",
      { headers: { "content-type": `${json}5` } },
    ],
    ["no body", 400, "the body is empty: send an AdmissionReview\n", "", {}],
    ["a body that is not JSON", 400, "the body must be JSON\n", '{"kind":', {}],
    ["a body that is no object", 400, "the body must be a JSON object\n", "[]", {}],
    [
      "another kind",
      400,
      "the body must be an AdmissionReview of admission.k8s.io/v1 or admission.k8s.io/v1beta1\n",
      JSON.stringify({ ...podReview(POD), kind: "Pod" }),
      {},
    ],
    [
      "a version to come",
      400,
      "the body must be an AdmissionReview of admission.k8s.io/v1 or admission.k8s.io/v1beta1\n",
      JSON.stringify({ ...podReview(POD), apiVersion: "admission.k8s.io/v2" }),
      {},
    ],
    ["no uid", 400, "the body request.uid must not be empty\n", JSON.stringify(podReview(POD, { uid: "" })), {}],
    [
      "a uid of a wrong type",
      400,
      "the body request.uid must be a string\n",
      JSON.stringify(podReview(POD, { uid: 1 })),
      {},
    ],
    [
      "a uid that no object has",
      400,
      "the body has 254 characters in request.uid, and a name has at most 253\n",
      JSON.stringify(podReview(POD, { uid: "u".repeat(254) })),
      {},
    ],
    [
      "a namespace that nothing can have",
      400,
      "the body has 3000000 characters in request.namespace, and a name has at most 253\n",
      JSON.stringify(podReview(POD, { namespace: "n".repeat(3_000_000) })),
      {},
    ],
    [
      "a body of 8 MiB and a byte",
      413,
      "the body is over the limit of 8388608 bytes\n",
      Buffer.alloc(2 ** 23 + 1, 32),
      {},
    ],
  ])("gets a reason in plain text: %s", async (_, status, text, body, options) => {
    const target = await serveForTest();
    const got = await send(target, body, options);
    expect({ status: got.status, text: got.text }).toEqual({ status, text });
    expect(got.headers["content-type"]).toBe("text/plain; charset=utf-8");
  });

  it("may have parameters after its type", async () => {
    const target = await serveForTest();
    const headers = { "content-type": "Application/JSON; charset=utf-8" };
    expect(await review(target, podReview(POD), { headers })).toEqual(answer(CHANGED));
  });
});

describe("a connection", () => {
  it("serves one review after another, also after a body that was too long", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const target = { ...(await serveForTest()), agent };
    const statuses: number[] = [];
    for (const body of [JSON.stringify(podReview(POD)), " ".repeat(2 ** 23 + 1), JSON.stringify(podReview(POD))]) {
      statuses.push((await send(target, body)).status);
    }
    expect(statuses).toEqual([200, 413, 200]);
    expect(Object.values(agent.freeSockets).flat()).toHaveLength(1);
  });

  it("speaks HTTP/1.1, so that the API server spreads its connections", async () => {
    const { port, ca } = await serveForTest();
    const socket = connect({ port, host: "127.0.0.1", ca, ALPNProtocols: ["h2", "http/1.1"] });
    onTestFinished(() => void socket.destroy());
    await new Promise((resolve) => socket.once("secureConnect", resolve));
    expect(socket.alpnProtocol).toBe("http/1.1");
  });
});
