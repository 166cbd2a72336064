import { createHash } from "node:crypto";
import { MountRequirement, type SecretRequest, SecretsError } from "@flyte-secrets/core";
import { checkFields, checkTexts } from "./check-fields.ts";

/** How a task wants a secret: in a variable, in a file, or either. Flyte's own numbers. */
export const MountType = MountRequirement;
export type MountType = (typeof MountRequirement)[keyof typeof MountRequirement];

/** The only path at which a secret can be mounted today. */
export const SECRET_MOUNT_PATH = "/etc/flyte/secrets";

/** A secret as Flyte 2 writes it: a key, and the variable or the mount where the value is wanted. */
export interface SecretOptions {
  /** The secret's name. */
  readonly key: string;
  /** The group it belongs to, for secret managers that have groups. */
  readonly group?: string | undefined;
  /** Where to put the value as a file; only `/etc/flyte/secrets`. */
  readonly mount?: string | undefined;
  /** The variable that holds the value; without it and `mount`, `<GROUP>_<KEY>` or `<KEY>`. */
  readonly asEnvVar?: string | undefined;
}

/** A secret as flytekit writes it: the request as it goes over the wire, nothing derived. */
export interface SecretRequestOptions {
  readonly group?: string | undefined;
  /** Which version of the group, for managers that have versions. */
  readonly groupVersion?: string | undefined;
  readonly key?: string | undefined;
  /** Default `MountType.ANY`: whatever the secret manager prefers. */
  readonly mountRequirement?: MountType | undefined;
  /** A variable of one's own: holds the value, or with `MountType.FILE` the file's path. */
  readonly envVar?: string | undefined;
  /** With true a missing group is an error, as in flytekit. Default false: the embedded manager needs none. */
  readonly requireGroup?: boolean | undefined;
}

const FIELDS = [
  "key",
  "group",
  "groupVersion",
  "mount",
  "asEnvVar",
  "mountRequirement",
  "envVar",
  "requireGroup",
] as const satisfies readonly (keyof (SecretOptions & SecretRequestOptions))[];

/**
 * One secret that a task asks for, in Flyte 2's form ({@link SecretOptions}) or in flytekit's ({@link
 * SecretRequestOptions}). It is in flytekit's form when it names `mountRequirement`, `groupVersion` or `envVar`, or
 * stands in `secretRequests`. Rules are checked when it is made and when a task uses it; what breaks one is
 * `invalid_argument`.
 */
export class Secret {
  static readonly MountType = MountType;
  static readonly MountRequirement = MountType;

  readonly key: string | undefined;
  readonly group: string | undefined;
  readonly groupVersion: string | undefined;
  readonly mount: string | undefined;
  readonly mountRequirement: MountType | undefined;
  readonly envVar: string | undefined;
  readonly #asEnvVar: string | undefined;

  constructor(options: SecretOptions | SecretRequestOptions) {
    checkFields("Secret", options, FIELDS, 'new Secret({ key: "my-key" })');
    const all: SecretRequestOptions & Pick<Partial<SecretOptions>, "mount" | "asEnvVar"> = options;
    const { key, group, groupVersion, mount, asEnvVar, envVar } = all;
    checkTexts("Secret", { key, group, groupVersion, mount, asEnvVar, envVar });
    checkMountRequirement(all.mountRequirement);
    this.key = all.key;
    this.group = all.group;
    this.groupVersion = all.groupVersion;
    this.mount = all.mount;
    this.mountRequirement = all.mountRequirement;
    this.envVar = all.envVar;
    this.#asEnvVar = all.asEnvVar;

    if (this.#isRequest && (this.mount !== undefined || this.#asEnvVar !== undefined)) {
      throw invalid(
        "mount and asEnvVar do not go together with mountRequirement, groupVersion or envVar: use " +
          "mountRequirement with envVar.",
      );
    }
    if (all.requireGroup === true && !this.group) throw invalid("Group is a required parameter");
    if (!this.key && !this.group) throw invalid("key is required: the name of the secret.");
    if (this.mount !== undefined && this.mount !== SECRET_MOUNT_PATH) {
      throw invalid(`Only ${SECRET_MOUNT_PATH} is supported as secret mount path today.`);
    }
    checkVariable(this.#asEnvVar);
    checkVariable(this.envVar);
  }

  /**
   * The variable that holds the value: the one given, else the one derived; undefined with `mount` or in flytekit's
   * form.
   */
  get asEnvVar(): string | undefined {
    if (this.#asEnvVar !== undefined || this.mount !== undefined || this.#isRequest) return this.#asEnvVar;
    const name = [this.group, this.key].filter(Boolean).join("_");
    return name.replaceAll("-", "_").toUpperCase();
  }

  /** The same 64 hex characters in every process for the same key, group, mount and variable. */
  stableHash(): string {
    const parts = [this.key, this.group, this.mount, this.asEnvVar].map((part) => part ?? "");
    return createHash("sha256").update(parts.join("|")).digest("hex");
  }

  /** The request on the wire for a secret that stands in `secrets`. */
  toRequest(): SecretRequest {
    if (this.#isRequest) return this.toExactRequest();
    if (!this.key) throw invalid("key is required: the name of the secret.");
    const { asEnvVar } = this;
    checkVariable(asEnvVar);
    return {
      ...this.#fields(),
      mountRequirement: asEnvVar === undefined ? MountType.FILE : MountType.ENV_VAR,
      envVar: asEnvVar ?? "",
    };
  }

  /** The request on the wire for a secret that stands in `secretRequests`: what was given, nothing derived. */
  toExactRequest(): SecretRequest {
    if (this.#asEnvVar !== undefined) {
      return { ...this.#fields(), mountRequirement: MountType.ENV_VAR, envVar: this.#asEnvVar };
    }
    const given = this.mountRequirement ?? (this.mount === undefined ? MountType.ANY : MountType.FILE);
    return { ...this.#fields(), mountRequirement: given, envVar: this.envVar ?? "" };
  }

  get #isRequest(): boolean {
    return this.mountRequirement !== undefined || this.groupVersion !== undefined || this.envVar !== undefined;
  }

  #fields(): Pick<SecretRequest, "group" | "groupVersion" | "key"> {
    return { group: this.group ?? "", groupVersion: this.groupVersion ?? "", key: this.key ?? "" };
  }
}

function checkMountRequirement(given: unknown): void {
  if (given === undefined || Object.values<unknown>(MountType).includes(given)) return;
  const names = Object.keys(MountType).map((name) => `MountType.${name}`);
  throw invalid(`mountRequirement must be one of ${names.join(", ")}.`);
}

function checkVariable(name: string | undefined): void {
  const pattern = /^[A-Z_][A-Z0-9_]*$/;
  if (name === undefined || pattern.test(name)) return;
  throw invalid(`Invalid environment variable name: ${name}, must match ${pattern.source}`);
}

const invalid = (message: string): SecretsError => new SecretsError("invalid_argument", message);
