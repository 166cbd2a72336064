import { execFileSync } from "node:child_process";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import type { Requirement } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";
import { createServerProcess, type ServerProcess } from "./server-process.ts";

/**
 * The newest Kubernetes, and the oldest that is still maintained, as `build-binaries.sh` builds them where they are
 * missing.
 */
export const NEWEST_KUBERNETES = "1.37.2";
export const OLDEST_KUBERNETES = "1.35.4";
const ETCD_VERSION = "3.7.3";

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "flyte-secrets/kubernetes");
const builder = join(import.meta.dirname, "build-binaries.sh");

/** Where the binaries are: for the newest by envtest's convention, else in the user's cache. */
function assetsOf(version: string): string {
  const given = version === NEWEST_KUBERNETES ? process.env.KUBEBUILDER_ASSETS : undefined;
  return given ?? join(cache, version);
}

/** The folder that they are in. */
export function kubernetesPrograms(version = NEWEST_KUBERNETES): string {
  return assetsOf(version);
}

/** The binaries of etcd, kube-apiserver and kubectl. With `CI=true` they are built, which takes minutes once. */
export function requireKubernetes(version = NEWEST_KUBERNETES): Requirement {
  const assets = assetsOf(version);
  const isThere = () => ["etcd", "kube-apiserver", "kubectl"].every((name) => existsSync(join(assets, name)));
  const build = [builder, version, ETCD_VERSION, join(cache, version)];
  if (!isThere() && process.env.CI === "true") execFileSync("bash", build, { stdio: "inherit" });
  if (isThere()) return { missing: false };
  return {
    missing: true,
    what: `etcd, kube-apiserver and kubectl in ${assets}`,
    enable: `bash ${build.join(" ")} (needs Go)${version === NEWEST_KUBERNETES ? ", or set KUBEBUILDER_ASSETS" : ""}`,
  };
}

/** A service account of a test, as what it may do. */
export interface AccountRules {
  readonly namespace: string;
  readonly name: string;
  /** RBAC rules, granted cluster-wide. */
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
    readonly resourceNames?: readonly string[];
  }[];
}

/**
 * https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/#audit-k8s-io-v1-Event as far as tests look at it.
 */
export interface AuditEvent {
  readonly verb: string;
  readonly requestURI: string;
  readonly objectRef?: { readonly resource: string; readonly namespace?: string; readonly name?: string };
  readonly responseStatus?: { readonly code: number };
}

/** A real etcd and a real kube-apiserver, with RBAC, admission and an audit log, without kubelets or controllers. */
export interface Cluster {
  readonly url: string;
  readonly directory: string;
  /** The folder that kubectl of the same version is in. */
  readonly programs: string;
  /** PEM of the CA that the API server's certificate can be checked by. */
  readonly ca: string;
  /** A kubeconfig file of a member of `system:masters`. */
  readonly adminKubeconfig: string;
  /**
   * One line of JSON for each request and its stage
   * (https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/).
   */
  readonly auditLog: string;
  /** What it has noted so far of the requests of service accounts whose `NAMESPACE:NAME` begins so. */
  audited(account: string): AuditEvent[];
  readonly etcdDirectory: string;
  /** Its API in JSON (https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/). */
  readonly etcdUrl: string;
  readonly etcd: ServerProcess;
  readonly apiServer: ServerProcess;
  /** Runs kubectl as the admin and gives what it printed; throws with its error output when it fails. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Makes the account with these rights, and a kubeconfig file with a token of it. */
  createAccount(account: AccountRules): Promise<string>;
  /** Stops the API server (`SIGTERM`) and starts it again on the same port and data. */
  restartApiServer(): Promise<void>;
  close(): Promise<void>;
}

/** Starts one of this version on free ports; ready when it resolves. */
export async function startCluster(version = NEWEST_KUBERNETES): Promise<Cluster> {
  const program = (name: string) => join(assetsOf(version), name);
  const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-cluster-"));
  const file = (name: string) => join(directory, name);
  const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
  const token = randomUUID();
  const url = `https://127.0.0.1:${port}`;
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  mkdirSync(file("certs"));
  writeFileSync(file("tokens.csv"), `${token},admin,admin,system:masters\n`, { mode: 0o600 });
  writeFileSync(file("audit-policy.yaml"), JSON.stringify(AUDIT_POLICY));
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  writeFileSync(file("service-accounts.key"), privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });

  const etcd = createServerProcess({
    file: program("etcd"),
    log: file("etcd.log"),
    args: [
      `--data-dir=${file("etcd")}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      "--unsafe-no-fsync",
    ],
    async probe() {
      const { ok } = await fetch(`${etcdUrl}/readyz`);
      if (!ok) throw new Error("not ready");
    },
  });
  const apiServer = createServerProcess({
    file: program("kube-apiserver"),
    log: file("kube-apiserver.log"),
    args: [
      `--etcd-servers=${etcdUrl}`,
      "--bind-address=127.0.0.1",
      `--secure-port=${port}`,
      `--cert-dir=${file("certs")}`,
      `--service-account-key-file=${file("service-accounts.key")}`,
      `--service-account-signing-key-file=${file("service-accounts.key")}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      "--api-audiences=https://kubernetes.default.svc",
      `--token-auth-file=${file("tokens.csv")}`,
      "--authorization-mode=RBAC",
      "--service-cluster-ip-range=10.0.0.0/24",
      // Pods would wait for a token controller that isn't here.
      "--disable-admission-plugins=ServiceAccount",
      `--audit-policy-file=${file("audit-policy.yaml")}`,
      `--audit-log-path=${file("audit.log")}`,
    ],
    async probe() {
      await kubectl(["get", "--raw", "/readyz"]);
      // Made by a loop of the API server's own, a moment after it is ready.
      await kubectl(["get", "namespace", "default"]);
    },
  });

  const adminKubeconfig = file("admin.kubeconfig");
  const certificate = file("certs/apiserver.crt");
  const writeKubeconfig = (path: string, user: object) => {
    const cluster = { server: url, "certificate-authority": certificate };
    // JSON is YAML.
    writeFileSync(
      path,
      JSON.stringify({
        "current-context": "test",
        clusters: [{ name: "test", cluster }],
        users: [{ name: "test", user }],
        contexts: [{ name: "test", context: { cluster: "test", user: "test", namespace: "default" } }],
      }),
      { mode: 0o600 },
    );
  };
  writeKubeconfig(adminKubeconfig, { token });
  const kubectl: Cluster["kubectl"] = async (args, input = "") => {
    const files = [`--kubeconfig=${adminKubeconfig}`, `--cache-dir=${file("kubectl-cache")}`];
    const { exitCode, stdout, stderr } = await runProgram(program("kubectl"), [...files, ...args], { input });
    if (exitCode !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
    return stdout;
  };

  const close = async () => {
    await apiServer.stop();
    await etcd.stop();
    rmSync(directory, { recursive: true });
  };
  try {
    await etcd.start();
    await apiServer.start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url,
    directory,
    programs: assetsOf(version),
    ca: readFileSync(certificate, "utf8"),
    adminKubeconfig,
    auditLog: file("audit.log"),
    audited: (account) =>
      readFileSync(file("audit.log"), "utf8")
        .split("\n")
        // What follows the last line break may still be being written.
        .slice(0, -1)
        .filter((line) => line.includes(`"username":"system:serviceaccount:${account}`))
        .map((line) => JSON.parse(line)),
    etcdDirectory: file("etcd"),
    etcdUrl,
    etcd,
    apiServer,
    kubectl,
    async createAccount({ namespace, name, rules }) {
      const rbac = { apiVersion: "rbac.authorization.k8s.io/v1", metadata: { name: `${namespace}-${name}` } };
      const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: rbac.metadata.name };
      const items = [
        { apiVersion: "v1", kind: "ServiceAccount", metadata: { namespace, name } },
        { ...rbac, kind: "ClusterRole", rules },
        { ...rbac, kind: "ClusterRoleBinding", roleRef, subjects: [{ kind: "ServiceAccount", namespace, name }] },
      ];
      await kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
      const path = file(`${namespace}-${name}.kubeconfig`);
      const token = await kubectl(["create", "token", "--namespace", namespace, name]);
      writeKubeconfig(path, { token: token.trim() });
      return path;
    },
    async restartApiServer() {
      await apiServer.stop();
      await apiServer.start();
    },
    close,
  };
}

/** Bodies of everything but of Secrets, which the audit log of a real cluster must not have either. */
const AUDIT_POLICY = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    { level: "Metadata", resources: [{ group: "", resources: ["secrets", "serviceaccounts/token"] }] },
    { level: "None", userGroups: ["system:masters"], verbs: ["get", "list", "watch"] },
    { level: "None", users: ["system:apiserver"] },
    { level: "RequestResponse" },
  ],
};

/** A port that nobody listens on at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
