import { resolve } from "node:path";
import { isSecretsError, SecretsError, trimEndOf } from "@flyte-secrets/core";
import { type ClientEnvironment, processEnvironment } from "../environment.ts";
import { type ConfigFile, readClientConfig, readOptionalFile } from "./config-file.ts";
import { findOwnServer, type OwnServer, resolveDataDirectory } from "./own-server.ts";
import type { OwnServerRoute } from "./own-server-connection.ts";
import {
  type ApiKey,
  type ClientSettings,
  organizationOf,
  parseApiKey,
  parseEndpoint,
  parseFlag,
  readSettings,
} from "./settings.ts";

/** An OAuth 2 client for the client credentials grant. */
export interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** A bearer token, or a function that returns one for each call. */
export type Token = string | (() => string | Promise<string>);

/** The service and the caller. Options that are not set come from the environment: see {@link resolveConnection}. */
export interface ConnectionOptions extends ClientSettings {
  readonly token?: Token | undefined;
  readonly credentials?: ClientCredentials | undefined;
  /** Path of a configuration file of Flyte's clients. Default: the first of the usual files. */
  readonly config?: string | undefined;
  /** Use only the user's own server, even if an endpoint is configured. Default: false. */
  readonly local?: boolean | undefined;
  /** Time limit of each call in milliseconds. Default: 30,000. */
  readonly timeoutMs?: number | undefined;
}

/** The complete settings of a client. */
export interface Connection {
  /** The URL of the service, without a trailing slash. */
  readonly endpoint: string;
  /** Empty parts stand for a broader scope. */
  readonly org: string;
  readonly project: string;
  readonly domain: string;
  readonly auth:
    | { readonly kind: "none" }
    | { readonly kind: "token"; readonly token: Token }
    | { readonly kind: "credentials"; readonly credentials: ClientCredentials };
  readonly tls: { readonly rejectUnauthorized: boolean; readonly ca?: string };
  readonly timeoutMs: number;
  /** How to reach the user's own server; undefined for any other service, which is reached by its endpoint. */
  readonly ownServerRoute?: OwnServerRoute | undefined;
  /** The variables with proxies; undefined unless `NODE_USE_ENV_PROXY=1` is set, as for all of Node. */
  readonly proxies?: Readonly<Record<string, string | undefined>> | undefined;
}

/**
 * Completes the options. Each setting comes from the first source that has it: the options, `FLYTE_API_KEY`,
 * `FLYTE_ADMIN_*` and `FLYTE_TASK_*`, `FLYTE_ENDPOINT`, the variables that Flyte sets in a task, Flyte's configuration
 * file, the user's own server. An empty string counts as given and means no project or domain.
 *
 * `insecure` and the certificates of a configuration file are used for the endpoint of that file only. Of a file that
 * was merely found in the current directory or a Git root only project and domain are used. Without token and
 * credentials in the options, the API key is used for its own endpoint only, and `FLYTE_SECRETS_TOKEN` for an endpoint
 * from options or variables only.
 * @throws SecretsError `no_service` when no endpoint is known, `invalid_config` when a setting is wrong, or when the
 * only endpoint is that of a found file.
 */
export async function resolveConnection(
  options: ConnectionOptions = {},
  environment: ClientEnvironment = processEnvironment(),
): Promise<Connection> {
  return (await findConnection(options, environment)).connection;
}

/** A connection, and where its endpoint comes from. */
export interface FoundConnection {
  readonly connection: Connection;
  /**
   * The variable or the configuration file with the endpoint; undefined if the options have it, or it is that of the
   * user's own server.
   */
  readonly namedBy: string | undefined;
}

/** Like {@link resolveConnection}, with the origin of the endpoint for messages. */
export async function findConnection(
  options: ConnectionOptions = {},
  environment: ClientEnvironment = processEnvironment(),
): Promise<FoundConnection> {
  const { variables, cwd } = environment;
  const { local = false } = options;
  if (local && options.endpoint !== undefined) throw ownAndOther();
  const apiKey = variables.FLYTE_API_KEY ? parseApiKey(variables.FLYTE_API_KEY, "FLYTE_API_KEY") : undefined;
  const stated = [{ settings: options }, fromApiKey(apiKey), ...fromVariables(variables)];
  const file = await readClientConfig(options.config, environment);
  const scope = [...stated, { namedBy: file?.path, settings: file?.settings ?? {} }];
  const isStated = !local && first(stated, "endpoint") !== undefined;
  const reach = local ? [] : isStated ? stated : scope;
  const named = first(reach, "endpoint");
  if (named === undefined && file?.ignoresEndpoint && !local) throw needsConsent(file);
  const address = named === undefined ? undefined : parseEndpoint(named, first(reach, "insecure") ?? false, "endpoint");
  const givenToken = isStated ? variables.FLYTE_SECRETS_TOKEN || undefined : undefined;
  // Given credentials are used for a given address, even if it is that of the user's own server.
  const hasOwnCredentials = address !== undefined && (options.token ?? options.credentials ?? givenToken) !== undefined;
  const ownServer = hasOwnCredentials ? undefined : await findOwnServerAt(address, environment);
  const url = address ?? (ownServer && new URL(ownServer.endpoint));
  if (url === undefined) throw local ? noOwnServer() : unknownEndpoint();

  const caPath = first(reach, "caCertFilePath");
  const ca = caPath === undefined ? undefined : await readCertificates(resolve(cwd, caPath));
  const connection = {
    endpoint: trimEndOf(url.href, "/"),
    org: first(scope, "org") ?? organizationOf(url),
    project: first(scope, "project") ?? "",
    domain: first(scope, "domain") ?? "",
    auth: toAuth(options, url, { apiKey, ownServer, token: givenToken }),
    tls: { rejectUnauthorized: !(first(reach, "insecureSkipVerify") ?? false), ...(ca !== undefined && { ca }) },
    timeoutMs: options.timeoutMs ?? 30_000,
    ownServerRoute: ownServer?.route,
    proxies: variables.NODE_USE_ENV_PROXY === "1" ? variables : undefined,
  };
  return { connection, namedBy: sourceOf(reach, "endpoint")?.namedBy };
}

/** The user's own server, if no address is given or the given one is that server's. */
async function findOwnServerAt(
  address: URL | undefined,
  environment: ClientEnvironment,
): Promise<OwnServer | undefined> {
  try {
    return await findOwnServer(resolveDataDirectory(environment), address);
  } catch (error) {
    // A directory that is not safe must not keep anybody from another service.
    if (address !== undefined && isSecretsError(error, "unsafe_permissions")) return undefined;
    throw error;
  }
}

/** What is given of a scope. */
export interface ScopeOptions extends Pick<ConnectionOptions, "org" | "project" | "domain" | "config"> {
  /** Of the project that the caller is in; counts after the variables and before the configuration file. */
  readonly byProject?: Pick<ClientSettings, "project" | "domain">;
}

/**
 * Returns the default organization, project and domain, from the sources of {@link resolveConnection} in the same
 * order. A part that no source has is undefined.
 */
export async function resolveScope(
  { byProject = {}, ...options }: ScopeOptions = {},
  environment: ClientEnvironment = processEnvironment(),
): Promise<Pick<ClientSettings, "org" | "project" | "domain">> {
  const file = await readClientConfig(options.config, environment);
  const sources = [
    { settings: options },
    ...fromVariables(environment.variables),
    { settings: byProject },
    { settings: file?.settings ?? {} },
  ];
  return { org: first(sources, "org"), project: first(sources, "project"), domain: first(sources, "domain") };
}

/** The settings of one source. */
interface Source {
  /** The variable or file with its endpoint. */
  readonly namedBy?: string | undefined;
  readonly settings: ClientSettings;
}

function sourceOf(sources: readonly Source[], name: keyof ClientSettings): Source | undefined {
  return sources.find(({ settings }) => settings[name] !== undefined);
}

function first<Name extends keyof ClientSettings>(sources: readonly Source[], name: Name): ClientSettings[Name] {
  return sourceOf(sources, name)?.settings[name];
}

const fromApiKey = (key: ApiKey | undefined): Source => ({
  namedBy: "FLYTE_API_KEY",
  settings: { endpoint: key?.endpoint, org: key?.org },
});

function fromVariables(variables: ClientEnvironment["variables"]): readonly Source[] {
  const variableOf = (key: string): string => `FLYTE_${key.toUpperCase().replace(".", "_")}`;
  return [
    { namedBy: "FLYTE_ADMIN_ENDPOINT", settings: readSettings((key) => variables[variableOf(key)], variableOf) },
    { namedBy: "FLYTE_ENDPOINT", settings: { endpoint: variables.FLYTE_ENDPOINT || undefined } },
    {
      namedBy: "_U_EP_OVERRIDE",
      settings: {
        endpoint: variables._U_EP_OVERRIDE || undefined,
        insecure: parseFlag(variables._U_INSECURE ?? "", "_U_INSECURE"),
        org: variables._U_ORG_NAME || undefined,
        project: variables.FLYTE_INTERNAL_EXECUTION_PROJECT || undefined,
        domain: variables.FLYTE_INTERNAL_EXECUTION_DOMAIN || undefined,
      },
    },
  ];
}

function toAuth(
  { token, credentials }: ConnectionOptions,
  url: URL,
  found: { apiKey: ApiKey | undefined; ownServer: OwnServer | undefined; token: string | undefined },
): Connection["auth"] {
  if (token !== undefined && credentials !== undefined) {
    throw new SecretsError("invalid_config", "token and credentials exclude each other: give one.");
  }
  if (token !== undefined) return { kind: "token", token };
  if (credentials !== undefined) return { kind: "credentials", credentials };
  const { apiKey, ownServer } = found;
  if (ownServer !== undefined) {
    return ownServer.token === undefined ? { kind: "none" } : { kind: "token", token: ownServer.token };
  }
  if (apiKey !== undefined && parseEndpoint(apiKey.endpoint, false, "FLYTE_API_KEY").hostname === url.hostname) {
    return { kind: "credentials", credentials: { clientId: apiKey.clientId, clientSecret: apiKey.clientSecret } };
  }
  return found.token ? { kind: "token", token: found.token } : { kind: "none" };
}

async function readCertificates(path: string): Promise<string> {
  const file = await readOptionalFile(path);
  if (file === undefined) throw new SecretsError("invalid_config", `caCertFilePath names ${path}, which is not there.`);
  return file.text;
}

const needsConsent = ({ path }: ConfigFile): SecretsError =>
  new SecretsError(
    "invalid_config",
    `${path} names admin.endpoint, and a file that was only found here doesn't decide where values go. Name the ` +
      "file (--config, the " +
      "option config, UCTL_CONFIG or FLYTECTL_CONFIG), or the endpoint (--endpoint, the option endpoint, " +
      "FLYTE_ENDPOINT); --local (the option local) is the server of this user.",
  );

const ownAndOther = (): SecretsError =>
  new SecretsError("invalid_config", "local and endpoint exclude each other: give one.");

const noOwnServer = (): SecretsError =>
  new SecretsError("no_service", "No server of this user runs. Start one with `flyte-secrets serve`.");

const unknownEndpoint = (): SecretsError =>
  new SecretsError(
    "no_service",
    "No service is known. Start one on this machine with `flyte-secrets serve`, or name one: the endpoint of init(), " +
      "FLYTE_ENDPOINT, or admin.endpoint in .flyte/config.yaml.",
  );
