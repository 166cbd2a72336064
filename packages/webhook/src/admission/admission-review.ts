import { isObject, type JsonObject, SecretsError } from "@flyte-secrets/core";
import type { JsonPatch } from "@flyte-secrets/inject";
import type { Creator } from "../binding/scope-guard.ts";

/** The path of reviews, which is Flyte's for pods. */
export const WEBHOOK_PATH = "/mutate--v1-pod";

/** The supported versions of `AdmissionReview`. A response has the version of its request. */
const VERSIONS = ["admission.k8s.io/v1", "admission.k8s.io/v1beta1"] as const;

/** The request of an `AdmissionReview`. */
export interface AdmissionRequest {
  readonly apiVersion: (typeof VERSIONS)[number];
  readonly uid: string;
  /** Whether a pod itself is being created. Everything else is admitted unchanged. */
  readonly createsPod: boolean;
  /** The object as it was sent; its fields are not checked. */
  readonly object: unknown;
  /** Empty for an object without a namespace. */
  readonly namespace: string;
  readonly dryRun: boolean;
  readonly creator: Creator;
}

/** The decision on a request. */
export type AdmissionResponse =
  | { readonly allowed: true }
  | { readonly allowed: true; readonly patch: JsonPatch; readonly warnings: readonly string[] }
  | {
      readonly allowed: false;
      readonly code: number;
      readonly message: string;
      /** For programs: the API server returns them as `details.causes`. */
      readonly causes?: readonly { readonly reason: string; readonly message: string }[];
    };

/**
 * Parses an `AdmissionReview`
 * (https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/). Throws
 * `invalid_argument`, naming the field, for any other text, which has no `uid` to respond to.
 */
export function decodeAdmissionReview(text: string): AdmissionRequest {
  const review = parseReview(text);
  const apiVersion = VERSIONS.find((version) => version === review.apiVersion);
  if (apiVersion === undefined || review.kind !== "AdmissionReview") {
    throw fault(`must be an AdmissionReview of ${VERSIONS.join(" or ")}`);
  }
  const request = objectAt(review, "request", "request");
  const kind = objectAt(request, "kind", "request.kind");
  const uid = nameAt(request, "uid");
  if (uid === "") throw fault("request.uid must not be empty");
  const operation = textAt(request, "operation", "request.operation");
  const isPod = kind.kind === "Pod" && (kind.group ?? "") === "" && kind.version === "v1";
  const user = objectAt(request, "userInfo", "request.userInfo");
  return {
    apiVersion,
    uid,
    createsPod: isPod && operation === "CREATE" && (request.subResource ?? "") === "",
    object: request.object,
    namespace: nameAt(request, "namespace"),
    dryRun: request.dryRun === true,
    creator: { username: textAt(user, "username", "request.userInfo.username"), groups: groupsOf(user.groups) },
  };
}

/** Returns the response: a whole `AdmissionReview` in the version of the request. */
export function encodeAdmissionResponse({ apiVersion, uid }: AdmissionRequest, answer: AdmissionResponse): string {
  const encode = (response: object) => JSON.stringify({ kind: "AdmissionReview", apiVersion, response });
  if (!answer.allowed) {
    const { code, message, causes } = answer;
    return encode({ uid, allowed: false, status: { code, message, ...(causes && { details: { causes } }) } });
  }
  if (!("patch" in answer)) return encode({ uid, allowed: true, status: { code: 200, message: "No changes" } });
  const { patch, warnings } = answer;
  const text = encode({ uid, allowed: true, patchType: "JSONPatch", ...(warnings.length > 0 && { warnings }) });
  // Base64 has nothing to escape; the search for it in a patch of ten containers takes a twentieth of an admission.
  return `${text.slice(0, -"}}".length)},"patch":"${patch.base64}"}}`;
}

function parseReview(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may hold a value.
    throw fault("must be JSON");
  }
  if (!isObject(value)) throw fault("must be a JSON object");
  return value;
}

function objectAt(object: JsonObject, name: string, path: string): JsonObject {
  const value = object[name] ?? NOTHING;
  if (!isObject(value)) throw fault(`${path} must be an object`);
  return value;
}

const NOTHING: JsonObject = {};

function textAt(object: JsonObject, name: string, path: string): string {
  const value = object[name] ?? "";
  if (typeof value !== "string") throw fault(`${path} must be a string`);
  return value;
}

/** The longest name that Kubernetes accepts: log and response contain it. */
const MAX_NAME_LENGTH = 253;

function nameAt(request: JsonObject, field: string): string {
  const name = textAt(request, field, `request.${field}`);
  if (name.length <= MAX_NAME_LENGTH) return name;
  throw fault(`has ${name.length} characters in request.${field}, and a name has at most ${MAX_NAME_LENGTH}`);
}

function groupsOf(value: unknown): readonly string[] {
  const groups = value ?? [];
  if (Array.isArray(groups) && groups.every((group) => typeof group === "string")) return groups;
  throw fault("request.userInfo.groups must be a list of strings");
}

function fault(rule: string): SecretsError {
  return new SecretsError("invalid_argument", `the body ${rule}`);
}
