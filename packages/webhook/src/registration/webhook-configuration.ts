import { isDeepStrictEqual } from "node:util";
import { bundleIncludes, joinBundles } from "@flyte-secrets/certificates";
import { INJECT_LABEL } from "@flyte-secrets/core";
import { defineResource, type KubeObject } from "@flyte-secrets/kube";
import { WEBHOOK_PATH } from "../admission/admission-review.ts";

/** Flyte's name of the webhook, the same in every installation. */
const WEBHOOK_NAME = "flyte-pod-webhook.flyte.org";

/** https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/mutating-webhook-configuration-v1/ */
export interface MutatingWebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly RegisteredWebhook[];
}

export interface RegisteredWebhook {
  /** Fields that are not read here are kept. */
  readonly [field: string]: unknown;
  readonly name: string;
  readonly clientConfig?: {
    readonly url?: string;
    readonly service?: { readonly name: string; readonly namespace: string; readonly port?: number };
    /** PEM in base64. */
    readonly caBundle?: string;
  };
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
  readonly matchConditions?: readonly MatchCondition[];
}

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?: readonly object[] | undefined;
}

export const WEBHOOK_CONFIGURATIONS = defineResource<MutatingWebhookConfiguration>({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "MutatingWebhookConfiguration",
  plural: "mutatingwebhookconfigurations",
});

/** How the API server reaches the webhook. */
export type WebhookAddress =
  | { readonly service: { readonly name: string; readonly namespace: string; readonly port: number } }
  /** From outside of the cluster: `https://host:port/mutate--v1-pod`. */
  | { readonly url: string };

export interface RegistrationSettings {
  /** The name of the configuration object: `webhook.serviceName`. */
  readonly name: string;
  readonly address: WebhookAddress;
  readonly timeoutSeconds: number;
  readonly failurePolicy: "Fail" | "Ignore";
  readonly namespaceSelector: LabelSelector | null;
  /** In addition to the label for secrets, which is always selected. */
  readonly objectSelector: LabelSelector | null;
  readonly matchConditions: readonly MatchCondition[];
}

/**
 * https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-matchconditions
 */
export interface MatchCondition {
  readonly name: string;
  /** CEL over the request. */
  readonly expression: string;
}

/** The CAs that the registration must carry. */
export interface BundleOptions {
  /** The CAs of this webhook, in PEM. */
  readonly ca: string;
  /**
   * Whether other CAs are removed. Otherwise those that have not expired stay, because another replica may serve a
   * certificate of theirs.
   */
  readonly prunesCas: boolean;
  readonly now: number;
}

/**
 * The configuration as it should be: our own fields in our own webhook are set, and everything else stays as it was
 * found: other webhooks, labels, match conditions, and what others added to the selectors (cloud providers add
 * exceptions for their own namespaces, and put them back when they are removed). The same object when nothing is to be
 * done.
 */
export function mergeRegistration(
  found: MutatingWebhookConfiguration | undefined,
  settings: RegistrationSettings,
  bundle: BundleOptions,
): MutatingWebhookConfiguration {
  const { apiVersion, kind } = WEBHOOK_CONFIGURATIONS;
  if (found === undefined) {
    const webhooks = [mergeWebhook(undefined, settings, bundle)];
    return { apiVersion, kind, metadata: { name: settings.name }, webhooks };
  }
  const others = found.webhooks ?? [];
  const webhook = mergeWebhook(findRegisteredWebhook(found), settings, bundle);
  const webhooks = others.some(({ name }) => name === WEBHOOK_NAME)
    ? others.map((other) => (other.name === WEBHOOK_NAME ? webhook : other))
    : [...others, webhook];
  const merged = { ...found, webhooks };
  return isDeepStrictEqual(merged, found) ? found : merged;
}

/** The CAs that a configuration carries for us, in PEM; undefined when our webhook isn't in it. */
export function registeredBundle(configuration: MutatingWebhookConfiguration): string | undefined {
  const webhook = findRegisteredWebhook(configuration);
  return webhook && decodeBundle(webhook.clientConfig?.caBundle);
}

/** Our webhook among those of a configuration. */
export function findRegisteredWebhook({ webhooks }: MutatingWebhookConfiguration): RegisteredWebhook | undefined {
  return webhooks?.find(({ name }) => name === WEBHOOK_NAME);
}

function mergeWebhook(
  found: RegisteredWebhook | undefined,
  settings: RegistrationSettings,
  bundle: BundleOptions,
): RegisteredWebhook {
  const { address, timeoutSeconds, failurePolicy, namespaceSelector, objectSelector } = settings;
  const matchConditions = mergeConditions(found?.matchConditions, settings.matchConditions);
  // With the defaults that the API server fills in, so that what it stored compares as equal.
  return {
    matchPolicy: "Equivalent",
    ...found,
    name: WEBHOOK_NAME,
    clientConfig: { ...toClientAddress(address), caBundle: mergeBundle(found?.clientConfig?.caBundle, bundle) },
    rules: [{ operations: ["CREATE"], apiGroups: ["*"], apiVersions: ["v1"], resources: ["pods"], scope: "*" }],
    failurePolicy,
    sideEffects: "NoneOnDryRun",
    admissionReviewVersions: ["v1", "v1beta1"],
    reinvocationPolicy: "IfNeeded",
    timeoutSeconds,
    namespaceSelector: mergeSelector(found?.namespaceSelector, namespaceSelector ?? {}),
    objectSelector: mergeSelector(found?.objectSelector, {
      ...objectSelector,
      matchLabels: { ...objectSelector?.matchLabels, [INJECT_LABEL]: "true" },
    }),
    ...(matchConditions.length > 0 && { matchConditions }),
  };
}

function toClientAddress(address: WebhookAddress): object {
  return "url" in address ? { url: address.url } : { service: { ...address.service, path: WEBHOOK_PATH } };
}

function mergeBundle(found: string | undefined, { ca, prunesCas, now }: BundleOptions): string {
  const present = decodeBundle(found);
  const enough = bundleIncludes(present, ca) && (!prunesCas || bundleIncludes(ca, present));
  if (found !== undefined && enough) return found;
  return Buffer.from(joinBundles(prunesCas ? [ca] : [ca, present], now)).toString("base64");
}

function mergeSelector(found: LabelSelector | undefined, ours: LabelSelector): LabelSelector {
  const expressions = ours.matchExpressions ?? [];
  const added = (found?.matchExpressions ?? []).filter(
    (one) => !expressions.some((own) => isDeepStrictEqual(own, one)),
  );
  const matchLabels = { ...found?.matchLabels, ...ours.matchLabels };
  const matchExpressions = [...expressions, ...added];
  return {
    ...(Object.keys(matchLabels).length > 0 && { matchLabels }),
    ...(matchExpressions.length > 0 && { matchExpressions }),
  };
}

/** The given conditions, and those with other names that somebody added. */
function mergeConditions(found: readonly MatchCondition[] = [], ours: readonly MatchCondition[]): MatchCondition[] {
  return [...ours, ...found.filter(({ name }) => !ours.some((own) => own.name === name))];
}

/** Decodes a bundle; empty for text that is not PEM, such as the placeholder of installers. */
function decodeBundle(caBundle = ""): string {
  const pem = Buffer.from(caBundle, "base64").toString("utf8");
  try {
    return joinBundles([pem], 0);
  } catch {
    return "";
  }
}
