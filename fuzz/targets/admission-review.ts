import assert from "node:assert/strict";
import { JsonPatch, parsePod } from "@flyte-secrets/inject";
import { decodeAdmissionReview, encodeAdmissionResponse } from "@flyte-secrets/webhook/testing";
import { type FuzzTarget, textOf, unlessRefused } from "../target.ts";

const INVALID = ["invalid_argument"] as const;

const review = (request: object) =>
  JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request });

/** The body of an admission request: the review, and the pod in it. */
export const target: FuzzTarget = {
  seeds: [
    review({
      uid: "705ab4f5",
      kind: { group: "", version: "v1", kind: "Pod" },
      operation: "CREATE",
      namespace: "shop-production",
      userInfo: { username: "system:serviceaccount:flyte:flytepropeller", groups: ["system:authenticated"] },
      dryRun: false,
      object: {
        metadata: {
          labels: { project: "shop" },
          annotations: { a: "b" },
          ownerReferences: [{ apiVersion: "v1", kind: "Job", name: "j", uid: "1" }],
        },
        spec: {
          containers: [
            {
              name: "main",
              image: "i",
              command: ["c"],
              env: [
                { name: "A", value: "1" },
                { name: "B", valueFrom: { secretKeyRef: { name: "s", key: "k", optional: true } } },
              ],
              volumeMounts: [{ name: "v", mountPath: "/v", readOnly: true }],
            },
          ],
          initContainers: null,
          imagePullSecrets: [{ name: "pull" }],
          volumes: [
            { name: "v", emptyDir: { medium: "Memory" } },
            { name: "s", secret: { secretName: "x", items: [{ key: "k", path: "p", mode: 256 }], defaultMode: 256 } },
            { name: "p", projected: { sources: [{ secret: { name: "x", items: [{ key: "k", path: "p" }] } }] } },
          ],
        },
      },
    }),
    review({ uid: "1", operation: "DELETE" }).replace("/v1", "/v1beta1"),
    "[]",
  ],
  dictionary: [
    "uid",
    "object",
    "subResource",
    "ephemeralcontainers",
    "CREATE",
    "UPDATE",
    "userInfo",
    "spec",
    "metadata",
    "namespace",
  ],
  maxBytes: 8_192,
  open: () => ({
    run(bytes) {
      const request = unlessRefused(INVALID, () => decodeAdmissionReview(textOf(bytes)));
      if (!request) return;
      const pod = unlessRefused(INVALID, () => parsePod(request.object));
      if (pod) assert.equal(pod, request.object);
      const patch = new JsonPatch([{ op: "add", path: "/x", value: request.namespace }]);
      const answer = JSON.parse(
        encodeAdmissionResponse(request, { allowed: true, patch, warnings: [request.creator.username] }),
      );
      const refusal = JSON.parse(
        encodeAdmissionResponse(request, { allowed: false, code: 400, message: request.namespace }),
      );
      assert.deepEqual(
        [answer.response.uid, answer.response.warnings, refusal.response.uid, refusal.response.status.message],
        [request.uid, [request.creator.username], request.uid, request.namespace],
      );
      assert.deepEqual(JSON.parse(Buffer.from(answer.response.patch, "base64").toString()), patch.operations);
    },
  }),
};
