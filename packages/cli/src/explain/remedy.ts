import type { Config } from "@flyte-secrets/config";

type ManagerType = Config["webhook"]["embeddedSecretManagerConfig"]["type"];

/** How a secret that was found nowhere comes to be where the webhook of a configuration reads values from. */
export function createRemedy(type: ManagerType, key: string, place: { project: string; domain: string }): string {
  switch (type) {
    case "Store":
    case "K8s":
      return `create it: flyte-secrets create secret ${key} -p ${place.project} -d ${place.domain}`;
    case "AWS":
    case "GCP":
    case "Azure":
    case "Vault":
      return `create it in ${type} under one of the names that it was looked for by`;
  }
}
