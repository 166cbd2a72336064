import { once } from "node:events";
import { chmodSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createCertificate, startServe } from "@flyte-secrets/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { ask, taskPod, writeManifest } from "../testing/pod-manifests.ts";
import { runCli } from "../testing/run-cli.ts";
import { failure, success, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();

describe("doctor", () => {
  it("finds nothing wrong beside a running server", async () => {
    await using server = await at.serve();
    const result = await at.call("doctor");
    const name = `${process.versions.node}`;
    expect(result).toEqual(
      success(
        [
          `ok       Node ${name}, configuration in order`,
          `ok       ${at.store} is for this user alone (mode 0700)`,
          ...["store.db", "master.key", "server.json", "server.sock", "token"].map(
            (file) => `ok       ${at.store}/${file} is for this user alone (mode 0600)`,
          ),
          "ok       the store opens with its master key",
          `ok       ${server.endpoint} is ready`,
          "ok       the server's clock agrees with this one",
          "ok       the server takes the token",
          "ok       create, get and the like go to this machine's own store (~/store)",
          "",
        ].join("\n"),
      ),
    );
  });

  it("has only notes before the first start", async () => {
    expect(await at.call("doctor")).toEqual(
      success(
        `ok       Node ${process.versions.node}, configuration in order\n` +
          `note     ${at.store} is not there yet; flyte-secrets serve makes it\n` +
          "note     no store yet; flyte-secrets create secret NAME makes one\n" +
          `note     no server is running on ${at.store}; create, get and run need none\n` +
          "ok       create, get and the like go to this machine's own store (~/store)\n",
      ),
    );
  });

  it("names every problem with its remedy, and exits with 1", async () => {
    await at.keep({});
    chmodSync(at.store, 0o755);
    chmodSync(join(at.store, "master.key"), 0o644);
    const { exitCode, stdout, stderr } = await at.call("doctor");
    expect([exitCode, stderr]).toEqual([1, "error: 3 of 7 checks failed\n"]);
    expect(stdout).toContain(
      `problem  ${at.store} is open to other users (mode 0755)\n         chmod 700 ${at.store}\n`,
    );
    expect(stdout).toContain(
      `problem  ${at.store}/master.key is open to other users (mode 0644)\n         chmod 600 ${at.store}/master.key\n`,
    );
    expect(stdout).toContain("problem  the store does not open\n");
  });

  it("tells of a token that the server refuses", async () => {
    await using _server = await at.serve();
    // Too short to be one: the server goes on with the one before.
    writeFileSync(join(at.store, "token"), "short\n");
    const { exitCode, stdout } = await at.call("doctor");
    expect(exitCode).toBe(1);
    expect(stdout).toContain(
      `problem  the server refuses the token in ${at.store}/token (HTTP 401)\n` +
        "         put a new one there: flyte-secrets token rotate\n",
    );
  });

  it("verifies a server with TLS by the CA that it made, and names the configuration for Flyte's clients", async () => {
    const server = await startServe({ directory: at.home, args: ["--tls"] });
    onTestFinished(async () => void (await server.close()));
    const { exitCode, stdout } = await at.call("doctor");
    expect(exitCode, stdout).toBe(0);
    expect(stdout).toMatch(
      /^ok {7}clients can verify the certificate of https:\/\/127\.0\.0\.1:\d+, until \d{4}-\d\d-\d\d$/m,
    );
    expect(stdout).toContain("ok       the server takes the token\n");
    expect(stdout).toContain(`ok       Flyte's clients reach it with --config ${at.store}/flyte.yaml\n`);
  });

  it("says of a certificate that clients refuse what makes another, and sends no token there", async () => {
    const files = ["cert", "key"].map((name) => join(at.home, `${name}.pem`));
    const [certFile = "", keyFile = ""] = files;
    const settings = ["--secret.server.tls.certFile", certFile, "--secret.server.tls.keyFile", keyFile];
    const diagnose = async ({ now, isCa = false }: { now?: number; isCa?: boolean }, flags: readonly string[]) => {
      const { cert, key } = await createCertificate(now, { isCa });
      writeFileSync(certFile, cert);
      writeFileSync(keyFile, key);
      const server = await startServe({ directory: at.home, args: settings });
      const { stdout } = await at.call("doctor", ...flags);
      await server.close();
      return stdout.replaceAll(server.endpoint, "HERE");
    };
    const another = "flyte-secrets serve --tls makes one that all clients take";
    expect(await diagnose({ isCa: true }, settings)).toContain(
      "problem  the certificate of HERE is a CA's own (CA:TRUE): Flyte's clients refuse it (CaUsedAsEndEntity)\n" +
        `         ${another};`,
    );
    const hidden = await diagnose({}, []);
    expect(hidden).toContain("problem  clients can't verify the certificate of HERE by");
    expect(hidden).not.toContain("takes the token");
    expect(await diagnose({}, settings)).toContain("ok       clients can verify the certificate of HERE, until 2");
    expect(await diagnose({ now: Date.now() - 7_200_000 }, settings)).toContain(
      `problem  the certificate of HERE ended on`,
    );
  });

  it("tells of another program on the port of a server that was killed, and of a wrong configuration", async () => {
    await at.keep({});
    await using other = createServer((_, answer) => answer.end("hello"));
    await once(other.listen(0, "127.0.0.1"), "listening");
    const endpoint = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const announce = (rest: object) =>
      writeFileSync(join(at.store, "server.json"), JSON.stringify({ endpoint, pid: process.pid, ...rest }), {
        mode: 0o600,
      });
    announce({});
    expect((await at.call("doctor")).stdout).toContain(`note     no server is running on ${at.store};`);
    announce({ proofKey: "key" });
    expect((await at.call("doctor")).stdout).toContain(
      `problem  ${endpoint} is not the server that this user started: it gave no proof, and nothing was sent to it.`,
    );
    expect((await at.call("doctor", "--secret.sever.port", "1")).stdout).toBe(
      "problem  flag --secret.sever.port: unknown key secret.sever; did you mean secret.server?\n" +
        "         correct the configuration; nothing else was checked\n",
    );
  });
});

describe("doctor --pods", () => {
  it("finds the pods that should have been given secrets, each with its remedy, and exits with 1", async () => {
    await at.keep({ "dev/shop/api-key": "value" });
    const pod = taskPod([ask("api-key")]);
    writeManifest(at.home, "pod.json", pod);
    const injected = JSON.parse((await at.call("mutate", "-f", "pod.json", "-o", "json")).stdout).items[1];
    const named = (name: string, rest: object = {}) => ({ ...pod, metadata: { ...pod.metadata, name, ...rest } });
    const { "inject-flyte-secrets": _, ...labels } = pod.metadata.labels;
    const items = [
      injected,
      named("late", {
        annotations: { ...pod.metadata.annotations, ...taskPod([ask("b"), ask("c")]).metadata.annotations },
      }),
      named("unlabelled", { labels }),
      named("silent", { annotations: {} }),
      named("garbled", { annotations: { "flyte.secrets/s0": "!" } }),
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "proxy", namespace: "kube-system" },
        spec: { containers: [] },
      },
      { apiVersion: "v1", kind: "Service", metadata: { name: "s" } },
    ];
    const input = JSON.stringify({ apiVersion: "v1", kind: "List", items });
    const result = await runCli({ args: ["doctor", "--pods", "-"], env: at.env, input });
    expect(result).toEqual({
      exitCode: 1,
      stdout: `problem  Pod shop-dev/late asks for b, c and did not get it: the webhook was not asked when the pod was made
         look whether the MutatingWebhookConfiguration is there and its namespaceSelector takes in the namespace, and make the pod again
problem  Pod shop-dev/unlabelled asks for api-key and has no label inject-flyte-secrets: "true", so the webhook was not asked
         set the label on the pod, or in the template that it is made from, and make it again
problem  Pod shop-dev/silent has the label inject-flyte-secrets: "true", and no annotation says which secrets it wants
         add an annotation flyte.secrets/s0 (the SDK's toPod writes them) and make it again, or take the label away
problem  Pod shop-dev/garbled: failed to unmarshal secrets from pod annotations: error unmarshaling secret [flyte.secrets/s0]. Error: illegal base32 data
         correct the annotation and make the pod again; the webhook was not asked, or it would have been rejected
ok       2 pods lack nothing
note     1 object of another kind, not looked at
`,
      stderr: "error: 4 of 6 checks failed\n",
    });
  });

  it("takes a file without a pod for no success", async () => {
    writeManifest(at.home, "pods.json", { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "d" } });
    const { exitCode, stdout } = await at.call("doctor", "--pods", "pods.json");
    expect([exitCode, stdout]).toEqual([
      1,
      "problem  no pod, and 1 object of another kind, not looked at\n" +
        "         give it pods: kubectl get pods -A -o json; mutate -f shows templates of pods\n",
    ]);
  });

  it("finds nothing wrong with pods that ask for nothing, and says what is no list of pods", async () => {
    writeManifest(at.home, "pods.json", { kind: "PodList", items: [{ kind: "Pod", spec: { containers: [] } }] });
    expect(await at.call("doctor", "--pods", "pods.json")).toEqual(success("ok       1 pod lacks nothing\n"));
    writeFileSync(join(at.home, "pods.json"), "NAME  READY");
    expect(await at.call("doctor", "--pods", "pods.json")).toEqual(
      failure(1, "pods.json must hold Kubernetes objects only"),
    );
  });
});

describe("doctor with a store in a cluster", () => {
  it("leaves the store to --cluster", async () => {
    const { exitCode, stdout } = await at.call("doctor", "--secret.store.type", "Kubernetes");
    expect([exitCode, stdout.split("\n")[2]]).toEqual([
      0,
      "note     the store is in a cluster: doctor --cluster looks at it",
    ]);
  });
});

describe("doctor --cluster", () => {
  it("says which cluster it would need, and what is no question", async () => {
    const { exitCode, stdout } = await at.call("doctor", "--cluster", "-o", "json");
    expect([exitCode, JSON.parse(stdout)]).toEqual([
      1,
      [
        {
          state: "problem",
          what: `No Kubernetes cluster is known: this is no pod of one, and there is no ${at.home}/.kube/config. Set secret.kubernetes.kubeconfig or KUBECONFIG.`,
          remedy: "correct the configuration; nothing else was checked",
        },
      ],
    ]);
    expect(await at.call("doctor", "--cluster", "--pods", "-")).toEqual(
      failure(2, "--pods cannot be used with --cluster"),
    );
    expect(await at.call("doctor", "--as", "system:serviceaccount:flyte:webhook")).toEqual(
      failure(2, "--as needs --cluster"),
    );
    expect(await at.call("-o", "table", "doctor")).toEqual(
      failure(2, "--output-format of doctor is one of text, json, json-raw"),
    );
  });

  /** `doctor --cluster` with this user at this API server: exit code, and what it prints of the cluster. */
  async function diagnoseCluster(server: string, user: object, ...args: string[]) {
    const file = join(at.home, "kubeconfig");
    const config = {
      clusters: [{ name: "c", cluster: { server } }],
      users: [{ name: "u", user }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    };
    writeFileSync(file, JSON.stringify(config));
    const settings = ["--secret.kubernetes.kubeconfig", file, "--secret.store.type", "Kubernetes"];
    const { exitCode, stdout } = await at.call("doctor", "--cluster", ...settings, ...args);
    return { exitCode, lines: stdout.trimEnd().split("\n").slice(1), file };
  }

  /** An API server that answers `/version`, and all else with this status. */
  async function startRefusingServer(status: number, versionStatus = 200) {
    const server = createServer((req, res) => {
      const isVersion = req.url === "/version";
      const code = isVersion ? versionStatus : status;
      const message = "User cannot get resource in API group";
      res.writeHead(code, { "content-type": "application/json" });
      res.end(JSON.stringify(code === 200 ? { major: "1" } : { kind: "Status", code, message }));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const REMEDY =
    "         correct the user of the kubeconfig, or sign in again; kubectl auth whoami says whether it is taken";

  it("tells of an API server that cannot be reached, and looks no further", async () => {
    const { exitCode, lines, file } = await diagnoseCluster("http://127.0.0.1:9", {});
    expect([exitCode, lines]).toEqual([
      1,
      [
        `problem  the API server: get /version: the API server http://127.0.0.1:9 (context x of ${file}) cannot be reached (ECONNREFUSED).`,
        "         mend what it names, and look again",
      ],
    ]);
  });

  it("tells of credentials that the API server refuses, at once and only later", async () => {
    const server = await startRefusingServer(401, 401);
    const { exitCode, lines, file } = await diagnoseCluster(server, { token: "wrong" });
    expect([exitCode, lines]).toEqual([
      1,
      [
        `problem  the API server: get /version: the API server ${server} (context x of ${file}) refuses our credentials.`,
        REMEDY,
      ],
    ]);
    const later = await diagnoseCluster(await startRefusingServer(401), { token: "wrong" }, "--for", "service");
    expect(later.exitCode).toBe(1);
    expect(later.lines.filter((line) => line === REMEDY)).toHaveLength(3);
    expect(later.lines.join("\n")).not.toContain("not looked at");
  });

  it("tells of a credential plugin that is not installed", async () => {
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "no-such-plugin", interactiveMode: "Never" };
    const { exitCode, lines } = await diagnoseCluster("https://127.0.0.1:9", { exec });
    expect([exitCode, lines]).toEqual([
      1,
      [
        "problem  the API server: The kubeconfig's credential plugin no-such-plugin was not found (ENOENT). Install it, or correct the kubeconfig's command.",
        REMEDY,
      ],
    ]);
  });

  it("takes a run that was let look at nothing for no success", async () => {
    const server = await startRefusingServer(403);
    const account = "system:serviceaccount:flyte:both";
    const { exitCode, lines } = await diagnoseCluster(server, { token: "t" }, "--for", "service", "--as", account);
    expect(exitCode).toBe(1);
    expect(lines).toEqual([
      "ok       the API server's clock agrees with this one",
      expect.stringMatching(
        /^note {5}namespace flyte: not looked at, since get namespaces flyte: we have no permission/,
      ),
      expect.stringMatching(/^note {5}rights: not looked at, since create subjectaccessreviews/),
      expect.stringMatching(/^note {5}the Secrets of namespace flyte: not looked at, since list secrets/),
      "problem  nothing in the cluster was looked at, for lack of rights",
      "         use the credentials of somebody who may look, such as those of the account that this runs under",
      expect.stringMatching(/^note {5}the service speaks plain HTTP/),
      expect.stringMatching(/^note {5}\/metrics of the service asks for the credentials/),
    ]);
  });

  it("looks at the other clusters that secrets are kept in, each with its own kubeconfig", async () => {
    const [own, west] = [await startRefusingServer(403), await startRefusingServer(401)];
    const westFile = join(at.home, "west");
    const east = join(at.home, "east");
    const clusters = [{ name: "c", cluster: { server: west } }];
    const contexts = [{ name: "x", context: { cluster: "c" } }];
    writeFileSync(westFile, JSON.stringify({ clusters, contexts, "current-context": "x" }));
    const others = ["--secret.kubernetes.otherClusters", JSON.stringify({ west: westFile, east })];
    const { exitCode, lines } = await diagnoseCluster(own, { token: "t" }, "--for", "service", ...others);
    expect(exitCode).toBe(1);
    const told = lines.filter((line) => line.includes("cluster west:") || line.includes("cluster east:"));
    expect(told).toEqual([
      "ok       cluster west: the API server's clock agrees with this one",
      expect.stringMatching(
        /^problem {2}cluster west: namespace flyte: get namespaces flyte: .* refuses our credentials\.$/,
      ),
      expect.stringMatching(/^problem {2}cluster west: the Secrets of namespace flyte: .* refuses our credentials\.$/),
      expect.stringMatching(/^problem {2}cluster west: rights: .* refuses our credentials\.$/),
      expect.stringMatching(new RegExp(`^problem {2}cluster east: the API server: .*${east}`)),
    ]);
    const embedded = await diagnoseCluster(
      own,
      { token: "t" },
      "--for",
      "service",
      ...others,
      "--secret.store.type",
      "Embedded",
    );
    expect(embedded.lines.join("\n")).not.toContain("cluster west");
  });
});
