import { encodeBase32Lower, encodeRequestText, type SecretRequest } from "@flyte-secrets/core";
import { podReview, send, type Target } from "@flyte-secrets/webhook/testing";

/** What an attacker writes into a pod. */
export interface HostilePod {
  /** Names and values of annotations. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec?: object;
  readonly labels?: Readonly<Record<string, string>>;
  /** In JSON: there may be millions. */
  readonly tolerations?: string;
}

/** What came back for a pod. */
export interface Verdict {
  /** Of the admission answer: 200 for a pod that is let in; of HTTP where no review was answered. */
  readonly code: number;
  readonly message: string;
  /** Bytes of the whole answer. */
  readonly bytes: number;
}

export function many<T>(count: number, make: (at: number) => T): T[] {
  return Array.from({ length: count }, (_, at) => make(at));
}

/** Containers with names as short as they can be. */
export function containers(count: number): { name: string; image: string }[] {
  return many(count, (at) => ({ name: at.toString(36), image: "i" }));
}

/** The annotations that carry `requests`, whatever Kubernetes would say to their length. */
export function annotationsOf(requests: readonly Partial<SecretRequest>[]): Record<string, string> {
  const whole = { group: "", groupVersion: "", key: "", mountRequirement: 0, envVar: "" };
  return Object.fromEntries(
    requests.map((request, at) => [
      `flyte.secrets/s${at}`,
      encodeBase32Lower(encodeRequestText({ ...whole, ...request })),
    ]),
  );
}

/** Sends the review of such a pod, in project p and domain d, and says what became of it. */
export async function sendPod(
  target: Target,
  { annotations, spec, labels, tolerations = "[]" }: HostilePod,
): Promise<Verdict> {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "task",
      namespace: "p-d",
      labels: { "inject-flyte-secrets": "true", organization: "flyte", project: "p", domain: "d", ...labels },
      annotations,
    },
    spec: { containers: containers(1), ...spec },
  };
  const review = JSON.stringify(podReview(pod)).replace('"spec":{', `"spec":{"tolerations":${tolerations},`);
  const { status, text } = await send(target, review);
  const bytes = text.length;
  if (status !== 200) return { code: status, message: text, bytes };
  const { response } = JSON.parse(text);
  return { code: response.allowed ? 200 : response.status.code, message: response.status?.message ?? "", bytes };
}
