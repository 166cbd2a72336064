import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";

/** What an AdmissionReview is answered with. */
export interface AdmissionResponse {
  readonly allowed: boolean;
  /** In base64. */
  readonly patch?: string;
  readonly patchType?: string;
  readonly status?: { readonly code: number; readonly message: string };
}

/** Asks a webhook on this machine about a pod that is created in namespace shop-dev, as the API server does. */
export async function admitPod(
  port: number,
  { object, caFile }: { readonly object: unknown; readonly caFile: string },
): Promise<AdmissionResponse> {
  const kind = { group: "", version: "v1", kind: "Pod" };
  const review = { uid: "1", kind, namespace: "shop-dev", operation: "CREATE", object };
  const sent = request({
    host: "localhost",
    port,
    path: "/mutate--v1-pod",
    method: "POST",
    ca: readFileSync(caFile),
    agent: false,
    headers: { "content-type": "application/json" },
  });
  sent.end(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request: review }));
  const [response] = await once(sent, "response");
  return JSON.parse(await text(response)).response;
}

/** The CA of the certificate that a webhook with this data directory makes, where there is no cluster. */
export function caOf(store: string): string {
  return join(store, "webhook/webhook-ca.crt");
}
