import { resolve } from "node:path";
import { isSecretsError, SecretsError, trimEndOf } from "@flyte-secrets/core";
import { type ClientEnvironment, processEnvironment } from "../environment.ts";
import { type ConfigFile, readClientConfig, readFileIfThere } from "./config-file.ts";
import { type EmbeddedServer, findEmbeddedServer, resolveDataDirectory } from "./embedded-server.ts";
import type { EmbeddedServerRoute } from "./embedded-server-connection.ts";
import {
  type ApiKey,
  type ClientSettings,
  organizationOf,
  parseApiKey,
  parseEndpoint,
  parseFlag,
  readSettings,
} from "./settings.ts";

/** An OAuth2 client that may ask for tokens. */
export interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** A bearer token, or what gives one for each call. */
export type Token = string | (() => string | Promise<string>);

/** Where the service is and who asks. What is left out comes from the environment: see {@link resolveConnection}. */
export interface ConnectionOptions extends ClientSettings {
  readonly token?: Token | undefined;
  readonly credentials?: ClientCredentials | undefined;
  /** Path of a Flyte client configuration; default the usual places. */
  readonly config?: string | undefined;
  /** Only the server that this user runs, whatever else names an endpoint. Default false. */
  readonly local?: boolean | undefined;
  /** Limit for each call, in milliseconds; default 30,000. */
  readonly timeoutMs?: number | undefined;
}

/** Everything that a client needs to know. */
export interface Connection {
  /** The service's URL, without a slash at its end. */
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
  /** The way to the server that this user runs; undefined for any other service, which is reached by its endpoint. */
  readonly embeddedRoute?: EmbeddedServerRoute | undefined;
  /** The variables that name proxies, where they count: with `NODE_USE_ENV_PROXY=1`, as for all of Node. */
  readonly proxies?: Readonly<Record<string, string | undefined>> | undefined;
}

/**
 * Completes the options, each setting from the first source that has it: the options, `FLYTE_API_KEY`, `FLYTE_ADMIN_*`
 * and `FLYTE_TASK_*`, `FLYTE_ENDPOINT`, what Flyte sets in a task, Flyte's configuration file, the embedded server that
 * this user runs. An empty string counts as given: it stands for no project or domain. What a configuration file says
 * about how to reach the service (`insecure`, certificates) counts for that file's endpoint only, and of a file that
 * was only found in the current directory or a git root, project and domain alone count. Without token and credentials
 * in the options, each is used only where it belongs: the API key at its own endpoint, `FLYTE_SECRETS_TOKEN` (ours) at
 * one that options or variables name. `no_service` when no endpoint is known, `invalid_config` when a setting is wrong,
 * and when the only endpoint is that of a found file.
 */
export async function resolveConnection(
  options: ConnectionOptions = {},
  environment: ClientEnvironment = processEnvironment(),
): Promise<Connection> {
  return (await findConnection(options, environment)).connection;
}

/** A connection, and what it was that named its endpoint. */
export interface FoundConnection {
  readonly connection: Connection;
  /**
   * A variable's name, or a configuration file's path; undefined where the options name the endpoint, and where nothing
   * does.
   */
  readonly namedBy: string | undefined;
}

/** {@link resolveConnection}, for those who tell people where it leads. */
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
  // An address that is named together with credentials is called with these, also where this user's server has it.
  const isTold = address !== undefined && (options.token ?? options.credentials ?? givenToken) !== undefined;
  const embedded = isTold ? undefined : await findOwnServer(environment, address);
  const url = address ?? (embedded && new URL(embedded.endpoint));
  if (url === undefined) throw local ? noOwnServer() : unknownEndpoint();

  const caPath = first(reach, "caCertFilePath");
  const ca = caPath === undefined ? undefined : await readCertificates(resolve(cwd, caPath));
  const connection = {
    endpoint: trimEndOf(url.href, "/"),
    org: first(scope, "org") ?? organizationOf(url),
    project: first(scope, "project") ?? "",
    domain: first(scope, "domain") ?? "",
    auth: toAuth(options, url, { apiKey, embedded, token: givenToken }),
    tls: { rejectUnauthorized: !(first(reach, "insecureSkipVerify") ?? false), ...(ca !== undefined && { ca }) },
    timeoutMs: options.timeoutMs ?? 30_000,
    embeddedRoute: embedded?.route,
    proxies: variables.NODE_USE_ENV_PROXY === "1" ? variables : undefined,
  };
  return { connection, namedBy: sourceOf(reach, "endpoint")?.namedBy };
}

/** This user's server: where no address is named, or the one named is its own. */
async function findOwnServer(
  environment: ClientEnvironment,
  address: URL | undefined,
): Promise<EmbeddedServer | undefined> {
  try {
    return await findEmbeddedServer(resolveDataDirectory(environment), address);
  } catch (error) {
    // No reason to fail for those who name another service.
    if (address !== undefined && isSecretsError(error, "unsafe_permissions")) return undefined;
    throw error;
  }
}

/**
 * Whose task or secret is meant when nobody says: organization, project and domain from the sources of
 * {@link resolveConnection}, in the same order. A part that none of them has is undefined.
 */
export async function resolveScope(
  options: Pick<ConnectionOptions, "org" | "project" | "domain" | "config"> = {},
  environment: ClientEnvironment = processEnvironment(),
): Promise<Pick<ClientSettings, "org" | "project" | "domain">> {
  const file = await readClientConfig(options.config, environment);
  const sources = [{ settings: options }, ...fromVariables(environment.variables), { settings: file?.settings ?? {} }];
  return { org: first(sources, "org"), project: first(sources, "project"), domain: first(sources, "domain") };
}

/** ClientSettings from one place. */
interface Source {
  /** The variable or file that names the endpoint there. */
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
  found: { apiKey: ApiKey | undefined; embedded: EmbeddedServer | undefined; token: string | undefined },
): Connection["auth"] {
  if (token !== undefined && credentials !== undefined) {
    throw new SecretsError("invalid_config", "token and credentials exclude each other: give one.");
  }
  if (token !== undefined) return { kind: "token", token };
  if (credentials !== undefined) return { kind: "credentials", credentials };
  const { apiKey, embedded } = found;
  if (embedded !== undefined)
    return embedded.token === undefined ? { kind: "none" } : { kind: "token", token: embedded.token };
  if (apiKey !== undefined && parseEndpoint(apiKey.endpoint, false, "FLYTE_API_KEY").hostname === url.hostname) {
    return { kind: "credentials", credentials: { clientId: apiKey.clientId, clientSecret: apiKey.clientSecret } };
  }
  return found.token ? { kind: "token", token: found.token } : { kind: "none" };
}

async function readCertificates(path: string): Promise<string> {
  const file = await readFileIfThere(path);
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
