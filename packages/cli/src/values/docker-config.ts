import { join } from "node:path";
import { isObject, type JsonObject, SecretsError, SecretValue } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";
import { parseJson } from "../formats/parse-json.ts";
import { type DockerCredentials, identityToken, runCredentialHelper } from "./docker-credential-helper.ts";
import { readText } from "./read-input.ts";

/** The parts of `config.json` that hold credentials or name where they are kept. */
interface DockerConfig {
  readonly auths: Readonly<Record<string, unknown>>;
  readonly credHelpers: Readonly<Record<string, unknown>>;
  readonly credsStore: unknown;
}

export interface DockerConfigOptions {
  /** Default: `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`. */
  readonly path?: string;
  /** Only these, all of which must have credentials. Default: every registry of the file that has them. */
  readonly registries?: readonly string[];
}

/**
 * The credentials of a Docker installation by registry, as its configuration spells the registry: from its file, its
 * `credHelpers` and its `credsStore`, in Docker's order. None at all is `invalid_argument`.
 */
export async function readDockerConfig(
  options: DockerConfigOptions,
  cli: CliContext,
): Promise<ReadonlyMap<string, DockerCredentials>> {
  const path = options.path ?? join(cli.env.DOCKER_CONFIG || join(cli.home, ".docker"), "config.json");
  const config = await loadConfig(path, cli);
  const known = new Set([...Object.keys(config.auths), ...Object.keys(config.credHelpers)]);
  const found = new Map<string, DockerCredentials>();
  for (const registry of options.registries?.map((name) => spelledAsIn(known, name)) ?? known) {
    const credentials = await credentialsFor(registry, config, cli);
    if (credentials) found.set(registry, credentials);
    else if (options.registries) throw noCredentials(registry, path);
  }
  if (found.size === 0) {
    throw new SecretsError("invalid_argument", `${path} has no credentials for any registry; run docker login first`);
  }
  return found;
}

async function credentialsFor(
  registry: string,
  config: DockerConfig,
  cli: CliContext,
): Promise<DockerCredentials | undefined> {
  const helper = config.credHelpers[registry] ?? config.credsStore;
  if (typeof helper === "string" && helper !== "") {
    // Docker stores its Hub's under one name, whatever this file or the user calls it.
    for (const name of new Set([registry, credentialsKey(registry)])) {
      const answer = await runCredentialHelper(helper, name, cli);
      if (answer) return answer;
    }
  }
  return fromEntry(config.auths[registry], registry);
}

function fromEntry(entry: unknown, registry: string): DockerCredentials | undefined {
  const { auth, username, password, identitytoken } = toObject(entry);
  if (typeof identitytoken === "string" && identitytoken !== "") throw identityToken(registry);
  if (typeof auth === "string" && auth !== "") {
    const [, user, pass] = /^([^:]*):(.*)$/s.exec(decodeAuth(auth) ?? "") ?? [];
    if (user === undefined || pass === undefined) {
      throw new SecretsError(
        "invalid_argument",
        `the "auth" of ${registry} in Docker's configuration is not base64 of user:password`,
      );
    }
    return { username: user, password: pass };
  }
  if (typeof username === "string" && typeof password === "string" && password !== "") return { username, password };
  return undefined;
}

/** Undefined for what is no base64 of text, of which a lenient reading would make another password. */
function decodeAuth(auth: string): string | undefined {
  const bytes = Buffer.from(auth, "base64");
  return bytes.toString("base64") === auth ? SecretValue.fromBytes(bytes).revealText() : undefined;
}

/**
 * The file's own spelling of a registry that the user wrote another way, `docker.io` for `https://index.docker.io/v1/`,
 * else Docker's.
 */
function spelledAsIn(known: ReadonlySet<string>, name: string): string {
  if (known.has(name)) return name;
  return [...known].find((spelling) => sameRegistry(spelling, name)) ?? credentialsKey(name);
}

function sameRegistry(a: string, b: string): boolean {
  return (isDockerHub(a) && isDockerHub(b)) || registryHost(a) === registryHost(b);
}

async function loadConfig(path: string, cli: CliContext): Promise<DockerConfig> {
  const text = await readText(path, { option: "--docker-config-path", cli });
  const fail = (problem: string) =>
    new SecretsError(
      "invalid_argument",
      `${path} ${problem === "is not JSON" ? "is not JSON, as Docker's configuration is" : problem}`,
    );
  const { auths, credHelpers, credsStore } = toObject(parseJson(text, fail));
  return { auths: toObject(auths), credHelpers: toObject(credHelpers), credsStore };
}

function toObject(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

function noCredentials(registry: string, path: string): SecretsError {
  return new SecretsError(
    "invalid_argument",
    `no credentials for ${registry} in ${path}; run: docker login ${registry}`,
  );
}

/** How Docker itself names its Hub in credentials. */
const DOCKER_HUB = "https://index.docker.io/v1/";
const DOCKER_HUB_HOSTS = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

/** The host (and port) of a registry, however it is written: `https://ghcr.io/v2/` is `ghcr.io`. */
export function registryHost(registry: string): string {
  return registry.replace(/^https?:\/\//, "").replace(/\/.*$/s, "");
}

/** Whether this is one of the names of Docker Hub. */
export function isDockerHub(registry: string): boolean {
  return DOCKER_HUB_HOSTS.has(registryHost(registry));
}

/** A registry as it stands in credentials: Docker Hub by its own name there, anything else as given. */
export function credentialsKey(registry: string): string {
  return isDockerHub(registry) ? DOCKER_HUB : registry;
}

/** A `.dockerconfigjson`, laid out as `kubectl create secret docker-registry` does. */
export function toDockerConfigJson(credentials: ReadonlyMap<string, DockerCredentials>): SecretValue {
  const auths = Object.fromEntries(
    [...credentials].map(([registry, { username, password }]) => [
      registry,
      { username, password, auth: Buffer.from(`${username}:${password}`, "utf8").toString("base64") },
    ]),
  );
  return SecretValue.fromText(JSON.stringify({ auths }));
}
