import { systemClock } from "@flyte-secrets/core";
import { type Answer, startScriptedApiServer, status } from "@flyte-secrets/kube/testing";
import { pino } from "pino";
import { expect, it } from "vitest";
import { webhookOptions } from "../testing/webhook-options.ts";
import { findCertificate, removeWebhook } from "./manage-certificates.ts";

const DONE: Answer = { status: 200, json: { kind: "Status", apiVersion: "v1", status: "Success" } };
const REGISTRATION = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/flyte-pod-webhook";
const SECRETS = "/api/v1/namespaces/flyte/secrets";

/** What is asked of the API server for the removal beside a Secret of this metadata, and what that comes to. */
async function removeBeside(metadata: object, ...answers: Answer[]) {
  const data = { "tls.crt": Buffer.from("a certificate").toString("base64") };
  const api = await startScriptedApiServer([DONE, { status: 200, json: { metadata, data } }, ...answers]);
  const client = api.connect(systemClock);
  const result = await removeWebhook(webhookOptions("/"), {
    client,
    namespace: "flyte",
    log: pino({ enabled: false }),
  });
  return { result, requests: api.seen.map(({ method, url }) => `${method} ${url}`) };
}

it("removes the registration, and then our certificate and naming key", async () => {
  const labels = { "app.flyte.org/certificate": "self-made" };
  expect(await removeBeside({ name: "flyte-pod-webhook", labels }, DONE, DONE)).toEqual({
    result: {
      removed: [
        "MutatingWebhookConfiguration flyte-pod-webhook",
        "Secret flyte/flyte-pod-webhook",
        "Secret flyte/flyte-pod-webhook-naming",
      ],
      left: [],
    },
    requests: [
      `DELETE ${REGISTRATION}`,
      `GET ${SECRETS}/flyte-pod-webhook`,
      `DELETE ${SECRETS}/flyte-pod-webhook`,
      `DELETE ${SECRETS}/flyte-pod-webhook-naming`,
    ],
  });
});

it("finds none in a Secret that the chart has made for the webhook to fill", async () => {
  const api = await startScriptedApiServer([{ status: 200, json: { metadata: { name: "flyte-pod-webhook" } } }]);
  const where = { client: api.connect(systemClock), namespace: "flyte", log: pino({ enabled: false }) };
  expect(await findCertificate(webhookOptions("/").certificate, where)).toEqual({
    place: "Secret flyte/flyte-pod-webhook",
    isForeign: false,
  });
});

it("leaves a certificate that others made, such as cert-manager's", async () => {
  const annotations = { "cert-manager.io/certificate-name": "webhook" };
  const notThere = status(404, "NotFound");
  expect(await removeBeside({ name: "flyte-pod-webhook", annotations }, notThere)).toEqual({
    result: { removed: ["MutatingWebhookConfiguration flyte-pod-webhook"], left: ["Secret flyte/flyte-pod-webhook"] },
    requests: [
      `DELETE ${REGISTRATION}`,
      `GET ${SECRETS}/flyte-pod-webhook`,
      `DELETE ${SECRETS}/flyte-pod-webhook-naming`,
    ],
  });
});
