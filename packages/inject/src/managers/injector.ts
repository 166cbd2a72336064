import type { MaybePromise, ScopeLevel, SecretId, SecretRequest, SecretValue } from "@flyte-secrets/core";
import type { PodEdit } from "../pod/edit.ts";
import type { EnvVar, SecretKeyReference } from "../pod/pod.ts";

/** Where the files of secrets are in a container. */
export const SECRETS_DIRECTORY = "/etc/flyte/secrets";

/** What an injector knows of the pod: never its content, which `applyEdits` alone deals with. */
export interface InjectContext {
  readonly labels: Readonly<Record<string, string>>;
  readonly namespace: string;
  readonly variables: VariableNaming;
  /** What the pod may have of the secrets that are kept by scope. Undefined: whatever it asks for. */
  readonly claim?: Claim | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A pod's right to the secrets of a scope. */
export interface Claim {
  /**
   * Called before a secret of the scope that the pod's labels name is looked up, or with the `id` that a request names outright.
   * Throws `claim_refused` when the pod may not have it, and `store_unavailable` while that can't be decided.
   */
  check(id?: SecretId): void;
}

/** How the variables that hold values are called. */
export interface VariableNaming {
  /** `secretEnvVarPrefix`. */
  readonly prefix: string;
  /** With `posix`, a variable is set under its raw name and under one with `_` for whatever a shell name can't have. */
  readonly style: "raw" | "posix";
}

/** A secret's value, for the delivery to bring to where it is needed. */
export interface ValueSource {
  readonly kind: "value";
  readonly value: SecretValue;
  /** Says which secret this is, the same for the same one: its encoded id, or what stands for it. */
  readonly label: string;
  /** Where the value lies already as a Kubernetes Secret in the pod's namespace. */
  readonly location?: SecretKeyReference;
}

/** Where the bytes of a secret come from. */
export type SecretSource = ValueSource | { readonly kind: "reference"; readonly reference: SecretKeyReference };

/** A variable with a secret's value, at the front of all containers. */
export interface SecretVariable {
  readonly kind: "secretVariable";
  readonly name: string;
  readonly source: SecretSource;
}

/** A file with a secret's value, in all containers. */
export interface SecretFile {
  readonly kind: "secretFile";
  readonly file: string;
  readonly source: SecretSource;
  /** Such files lie together in {@link SECRETS_DIRECTORY} itself; or those of one group in a directory and volume of their own. */
  readonly group?: { readonly name: string; readonly directory: string; readonly volume: string };
}

/** What an injector wants done: plain edits, which hold nothing secret, and those whose form is for the delivery to decide. */
export type InjectorEdit = PodEdit | SecretVariable | SecretFile;

/** What an injector made of a request. */
export type Injection =
  | {
      readonly injected: true;
      readonly edits: readonly InjectorEdit[];
      /** Of the secret that was found, where the injector looks for one. */
      readonly found?: { readonly id: SecretId; readonly level: ScopeLevel };
      /** A path that a later admission step will mount for it, such as the injector of Vault's agent. */
      readonly mountedLater?: string;
      /** The secret that is read only when the pod starts, by its manager's name for it, and the file that it comes to; for `explain`. */
      readonly readLater?: { readonly secret: string; readonly file: string };
    }
  | {
      readonly injected: false;
      /** What was looked for and why it can't be served; shown to the user, never contains a value. */
      readonly reason: string;
    };

/**
 * What a request comes to with a manager, before anything is looked up: what is judged whether the pod may have it. The parts of a
 * request don't say that, since other parts may come to the same.
 */
export type Reference =
  /** Nothing that this manager serves: {@link Injector.inject} says why. */
  | { readonly kind: "nothing" }
  /** What has the request's key in the scope that the pod's labels name. */
  | { readonly kind: "scope" }
  /** A Kubernetes Secret of the pod's namespace, whose name is the request's group or was made of its key. */
  | { readonly kind: "kubernetesSecret"; readonly name: string; readonly key: string; readonly isGroup: boolean }
  /** What a group names, such as a path. `whole` is group and key in one where they are one name to the manager. */
  | {
      readonly kind: "group";
      readonly group: string;
      readonly whole?: string;
      /** Why the group may lead elsewhere than it says. */
      readonly unclear?: string | undefined;
    }
  /** A variable `<GROUP>_<KEY>`, which other groups and keys may come to as well. */
  | { readonly kind: "variable"; readonly group: string; readonly name: string };

/**
 * One secret manager. It says what to change in a pod for a request, or why it can't, and the next manager is asked. Only
 * what is broken throws (a backend that is down or refuses us): the pod is then rejected, because a fault must
 * not turn into another manager's secret. It changes nothing itself, so that one that fails leaves nothing behind.
 */
export interface Injector {
  /** As in `secretManagerTypes`. */
  readonly name: string;
  /** What the request comes to. Looks nothing up and doesn't throw. */
  refersTo(request: SecretRequest, context: InjectContext): Reference;
  /** Called only after {@link refersTo} was found to be allowed. */
  inject(request: SecretRequest, context: InjectContext): MaybePromise<Injection>;
}

/** The edit that sets a variable to a text that is no secret. */
export function setVariable(name: string, value: string): PodEdit {
  const variable: EnvVar = { name, value };
  return { kind: "env", variable };
}

/** Tells a task which prefix the variables have that hold values. */
export function prefixEdit({ variables }: Pick<InjectContext, "variables">): InjectorEdit {
  return setVariable("FLYTE_SECRETS_ENV_PREFIX", variables.prefix);
}

/** Sets every one of `names` to the secret's value, in this order. */
export function valueEdits(names: readonly string[], source: SecretSource): InjectorEdit[] {
  return names.map((name) => ({ kind: "secretVariable", name, source }));
}

/** Tell a task where files are: the directory, and that their names have no prefix. */
export const DIRECTORY_EDITS = [
  setVariable("FLYTE_SECRETS_DEFAULT_DIR", SECRETS_DIRECTORY),
  setVariable("FLYTE_SECRETS_FILE_PREFIX", ""),
] as const;
