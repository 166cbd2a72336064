import { quote } from "@flyte-secrets/core";
import { EXEC_VERSIONS } from "./exec-plugin.ts";
import type { KubeconfigCluster, KubeconfigExec, KubeconfigUser } from "./kubeconfig-schema.ts";

/**
 * Returns why kubectl refuses the current context's cluster and user, missing files aside; undefined when they are
 * valid. kubectl documents for some of these that one of two settings wins, and refuses them all the same.
 */
export function validateContext(cluster: KubeconfigCluster, user: KubeconfigUser): string | undefined {
  return validateCluster(cluster) ?? validateUser(user) ?? (user.exec ? validateExec(user.exec) : undefined);
}

function validateCluster(cluster: KubeconfigCluster): string | undefined {
  const { server, "proxy-url": proxy, "insecure-skip-tls-verify": isInsecure } = cluster;
  if (server === "") return "its cluster has no server";
  if (proxy !== "") return "proxy-url is not supported; reach the API server directly";
  const twice = bothOf(cluster, "certificate-authority-data", "certificate-authority");
  if (twice !== undefined) return twice;
  const hasCa = cluster["certificate-authority-data"] !== "" || cluster["certificate-authority"] !== "";
  return isInsecure && hasCa ? "insecure-skip-tls-verify and a certificate-authority exclude each other" : undefined;
}

function validateUser(user: KubeconfigUser): string | undefined {
  if (user.token !== "" && (user.username !== "" || user.password !== "")) {
    return "its user has both a token and a name or password; only one is allowed";
  }
  const twice =
    bothOf(user, "client-certificate-data", "client-certificate") ?? bothOf(user, "client-key-data", "client-key");
  const hasCertificate = user["client-certificate-data"] !== "" || user["client-certificate"] !== "";
  const hasKey = user["client-key-data"] !== "" || user["client-key"] !== "";
  if (hasCertificate && twice !== undefined) return twice;
  if (hasCertificate && !hasKey) return "its user has a client-certificate and no client-key";
  const standsFor =
    user["as-uid"] !== "" || user["as-groups"].length > 0 || Object.keys(user["as-user-extra"]).length > 0;
  if (user.as === "" && standsFor) return "its user has as-uid, as-groups or as-user-extra without as";
  if (user["auth-provider"] === undefined || user["auth-provider"] === null) return undefined;
  return "auth-provider is not supported, as in current kubectl for most; use an exec plugin";
}

function validateExec({ command, apiVersion, interactiveMode, env }: KubeconfigExec): string | undefined {
  if (command === "") return "its credential plugin has no command";
  if (!EXEC_VERSIONS.includes(apiVersion)) {
    return `its credential plugin has apiVersion ${quote(apiVersion)}, which is none of ${EXEC_VERSIONS.join(", ")}`;
  }
  if (env.some(({ name }) => name === "")) return "its credential plugin has a variable without a name";
  switch (interactiveMode) {
    case "Never":
    case "IfAvailable":
      return undefined;
    case "Always":
      return "its credential plugin wants a terminal (interactiveMode Always)";
    case "":
      if (apiVersion.endsWith("/v1beta1")) return undefined;
      return "its credential plugin has no interactiveMode; set it to Never or IfAvailable";
    default:
      return `its credential plugin has interactiveMode ${quote(interactiveMode)}, which is none of Never, IfAvailable, Always`;
  }
}

function bothOf<Name extends string>(
  entry: Readonly<Record<Name, string>>,
  data: Name,
  file: Name,
): string | undefined {
  return entry[data] !== "" && entry[file] !== "" ? `${data} and ${file} are both set; remove one of them` : undefined;
}
