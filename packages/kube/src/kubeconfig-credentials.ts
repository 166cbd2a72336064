import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Clock } from "@flyte-secrets/core";
import { hasSystemCode, SecretsError } from "@flyte-secrets/core";
import {
  type CredentialSource,
  type Credentials,
  createStaticCredentials,
  createTokenFileCredentials,
  isKeyPair,
} from "./credentials.ts";
import { createExecCredentials } from "./exec-credentials.ts";
import type { KubeconfigContext } from "./kubeconfig.ts";
import type { KubeconfigUser } from "./kubeconfig-schema.ts";

export interface KubeconfigCredentialsInput {
  readonly context: KubeconfigContext;
  /** Whether the API server is reached by TLS. */
  readonly isSecure: boolean;
  /** Already read from its file, for plugins that require it. */
  readonly ca: Buffer | undefined;
  /** For messages. */
  readonly source: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/**
 * The credentials of a kubeconfig's user, by kubectl's rules: over plain HTTP none are sent, a token's file comes
 * before the token, and a plugin is run only where there is no other. For whom the user stands is sent with each of
 * them.
 */
export function openKubeconfigCredentials(input: KubeconfigCredentialsInput): CredentialSource {
  const { context, isSecure, ca, source, env, clock } = input;
  const { value: user, directory } = context.user;
  const impersonation = toImpersonation(user);
  if (!isSecure) return createStaticCredentials({ headers: impersonation });
  const place = { directory, source };
  const cert = readDataOrFile(user, "client-certificate", place);
  const key = cert && readDataOrFile(user, "client-key", place);
  if (cert && key && !isKeyPair(cert, key)) {
    throw invalidKubeconfig(source, "its client-certificate and client-key are no certificate with its key in PEM");
  }
  const { token, tokenFile, username, password, exec } = user;
  const basic = Buffer.from(`${username}:${password}`).toString("base64");
  const identity: Credentials = {
    headers: {
      ...impersonation,
      ...(username !== "" && { authorization: `Basic ${basic}` }),
      ...(token !== "" && { authorization: `Bearer ${token}` }),
    },
    ...(cert && key && { cert, key }),
  };
  if (tokenFile !== "") return createTokenFileCredentials(resolve(directory, tokenFile), clock, identity);
  if (exec && token === "" && username === "" && cert === undefined) {
    const data = ca && { "certificate-authority-data": ca.toString("base64") };
    const cluster = { ...context.cluster.value, ...data };
    return createExecCredentials({ exec: { value: exec, directory }, cluster, env, clock, headers: impersonation });
  }
  return createStaticCredentials(identity);
}

/** https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation */
function toImpersonation(user: KubeconfigUser): Credentials["headers"] {
  if (user.as === "") return {};
  const groups = user["as-groups"].map(toHeader);
  const extra = Object.entries(user["as-user-extra"]).filter(([, values]) => values.length > 0);
  return {
    "impersonate-user": toHeader(user.as),
    ...(user["as-uid"] !== "" && { "impersonate-uid": toHeader(user["as-uid"]) }),
    ...(groups.length > 0 && { "impersonate-group": groups }),
    ...Object.fromEntries(
      extra.map(([key, values]) => [`impersonate-extra-${toHeaderName(key)}`, values.map(toHeader)]),
    ),
  };
}

/** Node sends each character of a header as one byte; the API server reads UTF-8. */
function toHeader(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** What a header's name can't have is percent-encoded, as the API server decodes it. */
function toHeaderName(text: string): string {
  return toHeader(text).replace(
    /[^!#$&'*+.^_`|~0-9A-Za-z-]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

interface Place {
  readonly directory: string;
  readonly source: string;
}

/** What `name` names a file of, or `name-data` holds in base64; undefined when neither is set. */
export function readDataOrFile<Name extends string>(
  entry: Readonly<Record<Name | `${Name}-data`, string>>,
  name: Name,
  { directory, source }: Place,
): Buffer | undefined {
  const data = entry[`${name}-data`].replace(/[\r\n]/g, "");
  if (data !== "") {
    if (data.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(data)) return Buffer.from(data, "base64");
    throw invalidKubeconfig(source, `its ${name}-data is not base64`);
  }
  if (entry[name] === "") return undefined;
  const file = resolve(directory, entry[name]);
  const found = readOptionalFile(file);
  if (found === undefined) throw invalidKubeconfig(source, `${file} is not there`);
  return found;
}

/** The bytes of a file; undefined when there is none. Throws `invalid_config` when it can't be read. */
export function readOptionalFile(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (hasSystemCode(error, "ENOENT") || hasSystemCode(error, "ENOTDIR")) return undefined;
    throw new SecretsError("invalid_config", `${path} cannot be read.`, { cause: error });
  }
}

export function invalidKubeconfig(source: string, problem: string): SecretsError {
  return new SecretsError("invalid_config", `${source}: ${problem}.`);
}
