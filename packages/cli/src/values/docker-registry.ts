import { SecretValue } from "@flyte-secrets/core";
import type { DockerCredentials } from "./docker-credential-helper.ts";

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
