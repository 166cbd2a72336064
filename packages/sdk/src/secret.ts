import { createHash } from "node:crypto";
import { MountRequirement, type SecretRequest, SecretsError } from "@flyte-secrets/core";
import { checkFields, checkTexts } from "./check-fields.ts";

/** Where a task wants a secret: in a variable, in a file, or in either. The numbers are Flyte's. */
export const MountType = MountRequirement;
export type MountType = (typeof MountRequirement)[keyof typeof MountRequirement];

/** The only supported mount path. */
export const SECRET_MOUNT_PATH = "/etc/flyte/secrets";

/** A secret in Flyte 2's form: a key, and the variable or the mount for the value. */
export interface SecretOptions {
  /** The secret's name. */
  readonly key: string;
  /** Its group, for secret managers with groups. */
  readonly group?: string | undefined;
  /** The path of a file with the value; only `/etc/flyte/secrets`. */
  readonly mount?: string | undefined;
  /** The variable with the value. Default without `mount`: `<GROUP>_<KEY>` or `<KEY>`. */
  readonly asEnvVar?: string | undefined;
}

/** A secret in flytekit's form: the request as it is sent; nothing is derived. */
export interface SecretRequestOptions {
  readonly group?: string | undefined;
  /** The version of the group, for managers with versions. */
  readonly groupVersion?: string | undefined;
  readonly key?: string | undefined;
  /** Default: `MountType.ANY`, the choice of the secret manager. */
  readonly mountRequirement?: MountType | undefined;
  /** A name for the variable with the value, or with `MountType.FILE` with the file's path. */
  readonly envVar?: string | undefined;
  /**
   * Whether a missing group is an error, as in flytekit. Default: false, because the Embedded manager needs no group.
   */
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
 * A secret that a task requests, in Flyte 2's form ({@link SecretOptions}) or in flytekit's ({@link
 * SecretRequestOptions}). It is in flytekit's form if it has `mountRequirement`, `groupVersion` or `envVar`, or is one
 * of `secretRequests`. The rules are checked when it is created and when a task uses it; a violation is
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

  /** The variable with the value: the given or the derived one. Undefined with `mount`, and in flytekit's form. */
  get asEnvVar(): string | undefined {
    if (this.#asEnvVar !== undefined || this.mount !== undefined || this.#isRequest) return this.#asEnvVar;
    const name = [this.group, this.key].filter(Boolean).join("_");
    return name.replaceAll("-", "_").toUpperCase();
  }

  /**
   * Returns 64 hexadecimal characters that are the same in every process for the same key, group, mount and variable.
   */
  stableHash(): string {
    const parts = [this.key, this.group, this.mount, this.asEnvVar].map((part) => part ?? "");
    return createHash("sha256").update(parts.join("|")).digest("hex");
  }

  /** Returns the request for a secret in `secrets`. */
  toRequest(): SecretRequest {
    if (this.#isRequest) return this.toExactRequest();
    if (!this.key) throw invalid("key is required: the name of the secret.");
    const { asEnvVar } = this;
    checkVariable(asEnvVar, DERIVED);
    return {
      ...this.#fields(),
      mountRequirement: asEnvVar === undefined ? MountType.FILE : MountType.ENV_VAR,
      envVar: asEnvVar ?? "",
    };
  }

  /** Returns the request for a secret in `secretRequests`, as given; nothing is derived. */
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

/** What to do about a variable that nobody has typed. */
const DERIVED = ". It is derived from group and key: name another with asEnvVar, or ask for a file with mount";

function checkVariable(name: string | undefined, remedy = ""): void {
  const pattern = /^[A-Z_][A-Z0-9_]*$/;
  if (name === undefined || pattern.test(name)) return;
  throw invalid(`Invalid environment variable name: ${name}, must match ${pattern.source}${remedy}`);
}

const invalid = (message: string): SecretsError => new SecretsError("invalid_argument", message);
