import { BASE32_LOWER, encodeBase32Lower } from "./base32.ts";
import { SecretsError } from "./errors.ts";
import { excerpt } from "./foreign-text.ts";
import { checkLimit, checkRequestLimits, DEFAULT_POD_LIMITS, type PodLimits } from "./pod-limits.ts";
import type { SecretRequest } from "./secret-request.ts";
import { encodeRequestText, parseRequestText } from "./text-format.ts";

/** The label that makes the API server send a pod to the webhook, with the value `"true"`. */
export const INJECT_LABEL = "inject-flyte-secrets";

/** The prefix of the annotations that hold one request each. */
export const REQUEST_ANNOTATION_PREFIX = "flyte.secrets/s";

/** The limit of Kubernetes for all annotations of an object, names included. */
const MAX_ANNOTATION_BYTES = 262_144;

/**
 * The annotation value for a request. Throws `invalid_argument` as `encodeRequestText` does, and when it is too long
 * (R-3).
 */
export function encodeRequestAnnotation(request: SecretRequest): string {
  const value = encodeBase32Lower(encodeRequestText(request));
  if (value.length > MAX_ANNOTATION_BYTES) {
    throw new SecretsError("invalid_argument", `secret descriptor cannot exceed [${MAX_ANNOTATION_BYTES}]`);
  }
  return value;
}

/** The inverse of {@link encodeRequestAnnotation}. Accepts any legal text format. Throws `invalid_annotation`. */
export function decodeRequestAnnotation(value: string): SecretRequest {
  // Line breaks, which YAML adds easily, are ignored, as by Go's decoder.
  const bytes = BASE32_LOWER.decode(value.replace(/[\r\n]/g, ""));
  if (bytes === undefined) throw new SecretsError("invalid_annotation", "illegal base32 data");
  return parseRequestText(bytes);
}

/**
 * The annotations for `requests`, numbered in their order. Throws `invalid_argument` for a request that can't be
 * encoded, and when all together exceed the limit of Kubernetes.
 */
export function toRequestAnnotations(requests: readonly SecretRequest[]): Record<string, string> {
  const annotations: Record<string, string> = {};
  let bytes = 0;
  for (const [index, request] of requests.entries()) {
    const name = `${REQUEST_ANNOTATION_PREFIX}${index}`;
    const value = encodeRequestAnnotation(request);
    annotations[name] = value;
    bytes += name.length + value.length;
  }
  if (bytes > MAX_ANNOTATION_BYTES) {
    throw new SecretsError(
      "invalid_argument",
      `secret descriptors cannot exceed [${MAX_ANNOTATION_BYTES}] bytes in all, got [${bytes}]: ask for fewer secrets`,
    );
  }
  return annotations;
}

/**
 * The requests in a pod's annotations: the numbered ones in numeric order, then the others by name. Throws
 * `invalid_annotation`, naming the annotation, for the first illegal request, and `limit_exceeded` for more or longer
 * requests than `limits` allow. The pod must then be rejected.
 */
export function fromRequestAnnotations(
  annotations: Readonly<Record<string, string>>,
  limits: PodLimits = DEFAULT_POD_LIMITS,
): SecretRequest[] {
  const names = Object.keys(annotations).filter((name) => name.startsWith(REQUEST_ANNOTATION_PREFIX));
  checkLimit(limits, "requests", { what: "requests of the pod", amount: names.length });
  return names
    .map((name) => ({ name, digits: digitsOf(name) }))
    .sort(compareAnnotations)
    .map(({ name }) => decodeNamed(name, annotations[name] ?? "", limits));
}

function decodeNamed(name: string, value: string, limits: PodLimits): SecretRequest {
  const where = `annotation ${excerpt(name)}`;
  checkLimit(limits, "annotationLength", { what: `characters of ${where}`, amount: value.length });
  const request = decodeWhole(name, value);
  checkRequestLimits(limits, request, where);
  return request;
}

function decodeWhole(name: string, value: string): SecretRequest {
  try {
    return decodeRequestAnnotation(value);
  } catch (error) {
    if (!(error instanceof SecretsError)) throw error;
    throw new SecretsError(
      error.code,
      `failed to unmarshal secrets from pod annotations: error unmarshaling secret [${excerpt(name)}]. Error: ` +
        `${error.message}`,
      { cause: error },
    );
  }
}

interface Numbered {
  readonly name: string;
  /** Without leading zeros; undefined when what follows the prefix is not a decimal number. */
  readonly digits: string | undefined;
}

function compareAnnotations(a: Numbered, b: Numbered): number {
  if (a.digits === b.digits) return a.name < b.name ? -1 : 1;
  if (a.digits === undefined || b.digits === undefined) return a.digits === undefined ? 1 : -1;
  // The number with more digits is greater; so numbers of any length are compared without overflow.
  return a.digits.length - b.digits.length || (a.digits < b.digits ? -1 : 1);
}

function digitsOf(name: string): string | undefined {
  const index = name.slice(REQUEST_ANNOTATION_PREFIX.length);
  return /^[0-9]+$/.test(index) ? index.replace(/^0+(?=.)/, "") : undefined;
}
