import type { InitContainerSettings } from "./edit.ts";
import type { Container, PodSpec } from "./pod.ts";

/** A security context that the restricted Pod Security Standard takes. */
export interface RestrictedContext {
  readonly allowPrivilegeEscalation: false;
  readonly capabilities: { readonly drop: readonly ["ALL"] };
  readonly runAsNonRoot: true;
  readonly runAsUser?: number;
  readonly seccompProfile: { readonly type: "RuntimeDefault" };
}

/**
 * What an init container of ours gets in a pod
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted); undefined where it gets none. With
 * `auto` the pod itself tells: a namespace that enforces the standard takes no other pods, and a pod that meets it
 * loses nothing elsewhere. So nobody has to read the labels of namespaces for it (I-32).
 */
export function restrictedContext(
  spec: PodSpec,
  { security, runAsUser }: InitContainerSettings,
): RestrictedContext | undefined {
  if (security === "none" || field(spec.os, "name") === "windows") return undefined;
  if (security === "auto" && !meetsRestricted(spec)) return undefined;
  const user = missingUser(spec, runAsUser);
  return {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    runAsNonRoot: true,
    ...(user !== undefined && { runAsUser: user }),
    seccompProfile: { type: "RuntimeDefault" },
  };
}

/** Images run as root mostly, which `runAsNonRoot` doesn't let start: as the pod's other containers, or as configured. */
function missingUser(spec: PodSpec, runAsUser: number): number | undefined {
  if (isUser(field(spec.securityContext, "runAsUser"))) return undefined;
  const users = containersOf(spec).map(({ securityContext }) => field(securityContext, "runAsUser"));
  return users.find(isUser) ?? (runAsUser === 0 ? undefined : runAsUser);
}

function isUser(user: unknown): user is number {
  return typeof user === "number" && user !== 0;
}

/** Whether a pod meets what the standard asks of each container, by itself or by its pod. */
function meetsRestricted(spec: PodSpec): boolean {
  const ofPod = spec.securityContext;
  return containersOf(spec).every(({ securityContext: own }) => {
    const either = (name: string) => field(own, name) ?? field(ofPod, name);
    const drop = field(field(own, "capabilities"), "drop");
    const seccomp = field(either("seccompProfile"), "type");
    return (
      field(own, "allowPrivilegeEscalation") === false &&
      Array.isArray(drop) &&
      drop.includes("ALL") &&
      either("runAsNonRoot") === true &&
      either("runAsUser") !== 0 &&
      (seccomp === "RuntimeDefault" || seccomp === "Localhost")
    );
  });
}

function containersOf({ containers, initContainers }: PodSpec): readonly Container[] {
  return initContainers ? [...containers, ...initContainers] : containers;
}

/** Injection reads no other part of a pod that may be of any type. */
function field(object: unknown, name: string): unknown {
  if (typeof object !== "object" || object === null) return undefined;
  return Object.getOwnPropertyDescriptor(object, name)?.value ?? undefined;
}
