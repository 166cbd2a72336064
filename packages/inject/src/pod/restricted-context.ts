import type { InitContainerSettings } from "./edit.ts";
import type { Container, PodSpec } from "./pod.ts";

/** A security context that complies with the restricted Pod Security Standard. */
export interface RestrictedContext {
  readonly allowPrivilegeEscalation: false;
  readonly capabilities: { readonly drop: readonly ["ALL"] };
  readonly runAsNonRoot: true;
  readonly runAsUser?: number;
  readonly seccompProfile: { readonly type: "RuntimeDefault" };
}

/**
 * The security context of an init container that flyte-secrets adds to a pod
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted); undefined where it gets none.
 * `auto` decides by the pod, without reading the labels of its namespace: a namespace that enforces the standard admits
 * only pods that comply, and a pod that complies elsewhere loses nothing (I-32).
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

/** Most images run as root, which `runAsNonRoot` forbids: the user of another container, or the configured one. */
function missingUser(spec: PodSpec, runAsUser: number): number | undefined {
  if (isUser(field(spec.securityContext, "runAsUser"))) return undefined;
  const users = containersOf(spec).map(({ securityContext }) => field(securityContext, "runAsUser"));
  return users.find(isUser) ?? (runAsUser === 0 ? undefined : runAsUser);
}

function isUser(user: unknown): user is number {
  return typeof user === "number" && user !== 0;
}

/** Whether every container complies with the standard, by its own security context or by its pod's. */
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

/** Reads a member of a value of unknown type: `parsePod` doesn't check security contexts. */
function field(object: unknown, name: string): unknown {
  if (typeof object !== "object" || object === null) return undefined;
  return Object.getOwnPropertyDescriptor(object, name)?.value ?? undefined;
}
