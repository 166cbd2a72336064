import type { MaybePromise, ScopeLevel, SecretId, SecretRequest, SecretValue } from "@flyte-secrets/core";
import type { PodEdit } from "../pod/edit.ts";
import type { EnvVar, SecretKeyReference } from "../pod/pod.ts";

/** The directory of secrets' files in a container. */
export const SECRETS_DIRECTORY = "/etc/flyte/secrets";

/** What an injector knows of the pod. It never sees the pod itself, which `applyEdits` alone edits. */
export interface InjectContext {
  readonly labels: Readonly<Record<string, string>>;
  readonly namespace: string;
  readonly variables: VariableNaming;
  /** Restricts the scoped secrets that the pod may have. Without it, there is no restriction. */
  readonly claim?: Claim | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A pod's right to the secrets of a scope. */
export interface Claim {
  /**
   * Called before a secret of the scope that the pod's labels name is looked up, or with the `id` that a request names
   * explicitly. Throws `claim_refused` when the pod may not have it, and `store_unavailable` while that can't be
   * decided.
   */
  check(id?: SecretId): void;
}

/** The rule by which variables with values are named. */
export interface VariableNaming {
  /** `secretEnvVarPrefix`. */
  readonly prefix: string;
  /** With `posix`, each value has a second variable, in whose name `_` replaces what a shell's names can't contain. */
  readonly style: "raw" | "posix";
}

/** A secret's value. The delivery decides how it reaches the container. */
export interface ValueSource {
  readonly kind: "value";
  readonly value: SecretValue;
  /** Identifies the secret: its encoded id, or a text that is unique to it. */
  readonly label: string;
  /** The Kubernetes Secret in the pod's namespace that holds the value already, if there is one. */
  readonly location?: SecretKeyReference;
}

/** The origin of a secret's bytes. */
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
  /**
   * With a group, the file lies in that group's directory and volume; otherwise in {@link SECRETS_DIRECTORY} itself.
   */
  readonly group?: { readonly name: string; readonly directory: string; readonly volume: string };
}

/**
 * The edits of an injector: plain ones, which contain nothing secret, and those that the delivery turns into plain
 * ones.
 */
export type InjectorEdit = PodEdit | SecretVariable | SecretFile;

/** An injector's answer to a request. */
export type Injection =
  | {
      readonly injected: true;
      readonly edits: readonly InjectorEdit[];
      /** The secret that was found, by an injector that looks one up. */
      readonly found?: { readonly id: SecretId; readonly level: ScopeLevel };
      /** A path at which a later admission webhook mounts the file, such as Vault's agent injector. */
      readonly deferredMount?: string;
      /** For `explain`: the secret that is read when the pod starts, by its manager's name for it, and its file. */
      readonly deferredRead?: { readonly secret: string; readonly file: string };
    }
  | {
      readonly injected: false;
      /** Why the request can't be served, and what was looked up. Shown to the user; never contains a value. */
      readonly reason: string;
      /** Whether a rule about who may have the secret is the reason: nothing was looked up then. */
      readonly refused?: boolean;
    };

/**
 * What a request refers to at a manager. It is computed before any lookup, and authorised: the fields of the request
 * are not enough for that, because different fields may refer to the same secret.
 */
export type Reference =
  /** Nothing that this manager serves; {@link Injector.inject} returns the reason. */
  | { readonly kind: "nothing" }
  /** The secret with the request's key at the scope that the pod's labels name. */
  | { readonly kind: "scope" }
  /** A Kubernetes Secret of the pod's namespace. Its name is the request's group, or is derived from the key. */
  | { readonly kind: "kubernetesSecret"; readonly name: string; readonly key: string; readonly isGroup: boolean }
  /** A secret by its group, such as a path. `whole` joins group and key where the manager takes them as one name. */
  | {
      readonly kind: "group";
      readonly group: string;
      readonly whole?: string;
      /** The reason why the group can't be authorised by its prefix. */
      readonly unclear?: string | undefined;
    }
  /** A variable `<GROUP>_<KEY>`, to which other groups and keys may refer as well. */
  | { readonly kind: "variable"; readonly group: string; readonly name: string };

/**
 * One secret manager. For a request it returns the edits of the pod, or a reason, and then the next manager is tried.
 * It throws only for a failure, such as a backend that is down or refuses our credentials. The pod is then rejected,
 * because a failure must not lead to another manager's secret. It modifies nothing itself, so a failure leaves nothing
 * behind.
 */
export interface Injector {
  /** The name in `secretManagerTypes`. */
  readonly name: string;
  /** What the request refers to. Looks nothing up and doesn't throw. */
  refersTo(request: SecretRequest, context: InjectContext): Reference;
  /** Called only after the result of {@link refersTo} was authorised. */
  inject(request: SecretRequest, context: InjectContext): MaybePromise<Injection>;
}

/** The edit that sets a variable to a text that isn't secret. */
export function setVariable(name: string, value: string): PodEdit {
  const variable: EnvVar = { name, value };
  return { kind: "env", variable };
}

/** The edit that gives a task the prefix of the variables with values. */
export function prefixEdit({ variables }: Pick<InjectContext, "variables">): InjectorEdit {
  return setVariable("FLYTE_SECRETS_ENV_PREFIX", variables.prefix);
}

/** The edits that set each of `names` to the secret's value, in this order. */
export function valueEdits(names: readonly string[], source: SecretSource): InjectorEdit[] {
  return names.map((name) => ({ kind: "secretVariable", name, source }));
}

/** The edits that give a task the directory of files, and an empty prefix of their names. */
export const DIRECTORY_EDITS = [
  setVariable("FLYTE_SECRETS_DEFAULT_DIR", SECRETS_DIRECTORY),
  setVariable("FLYTE_SECRETS_FILE_PREFIX", ""),
] as const;
