import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { createCertificate } from "@flyte-secrets/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { failure, success, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();
const NAMES = "flyte-pod-webhook, flyte-pod-webhook.flyte, flyte-pod-webhook.flyte.svc, localhost, 127.0.0.1";

/** A port on which nobody listens. */
async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

describe("certs", () => {
  it("shows that there is none, makes one, and puts another in its place", async () => {
    const file = join(at.store, "webhook/webhook-certificate.pem");
    expect(await at.call("certs")).toEqual({
      exitCode: 1,
      stdout: `In            ${at.store}/webhook\nState         there is none; flyte-secrets webhook makes one\n`,
      stderr: `error: ${at.store}/webhook: there is no certificate\n`,
    });
    expect(existsSync(at.store)).toBe(false);

    // Nobody's machine gets a private key because a cluster was not found.
    expect(await at.call("certs", "--renew")).toEqual(
      failure(
        2,
        `there is no certificate on this machine (${at.store}/webhook), and no cluster is known. ` +
          "Set KUBECONFIG or use --cluster for a cluster's, or --local to make one here.",
      ),
    );
    expect(existsSync(at.store)).toBe(false);

    const port = `--webhook.listenPort=${await unusedPort()}`;
    const made = await at.call("certs", "--renew", "--local", port);
    const certificate = () => new X509Certificate(readFileSync(file, "utf8"));
    const shown = ({ subject, validFromDate, validToDate, fingerprint256 }: X509Certificate, done?: string) => ({
      exitCode: 0,
      stdout: [
        ...(done === undefined
          ? []
          : [`${done} the certificate in ${done === "Made" ? `${at.store}/webhook` : file}.`]),
        `In            ${file}`,
        `Subject       ${subject}`,
        `Names         ${NAMES}`,
        `From          ${validFromDate.toISOString()}`,
        `To            ${validToDate.toISOString()}`,
        `SHA-256       ${fingerprint256}`,
        "State         good",
        ...(done === undefined ? [] : ["Served        by nobody now; flyte-secrets webhook takes it when it starts"]),
        "",
      ].join("\n"),
      stderr: "",
    });
    const first = certificate();
    expect(made).toEqual(shown(first, "Made"));
    expect(await at.call("certs")).toEqual(shown(first));
    const renewed = await at.call("certs", "--renew", port);
    expect(renewed).toEqual(shown(certificate(), "Renewed"));
    expect(certificate().fingerprint256).not.toBe(first.fingerprint256);
    expect(readFileSync(join(at.store, "webhook/webhook-ca.crt"), "utf8").match(/BEGIN/g)).toHaveLength(2);
  });

  it("removes the one of this machine, and says when there is nothing", async () => {
    await at.call("certs", "--renew", "--local", "--wait", "0s");
    const place = `on this machine, in ${at.store}/webhook`;
    expect(await at.call("certs", "--remove")).toEqual(success(`Removed ${at.store}/webhook.\n`));
    expect(existsSync(join(at.store, "webhook"))).toBe(false);
    expect(await at.call("certs", "--remove")).toEqual(success(`There was nothing to remove ${place}.\n`));
    expect(await at.call("certs", "--remove", "--renew")).toEqual(failure(2, "--renew cannot be used with --remove"));
  });

  it("changes nothing by a kubeconfig that only lies in the home, and takes one that is named for the cluster's", async () => {
    mkdirSync(join(at.home, ".kube"));
    const kubeconfig = join(at.home, ".kube/config");
    const port = await unusedPort();
    const cluster = { name: "one", cluster: { server: `http://127.0.0.1:${port}` } };
    const context = { name: "one", context: { cluster: "one", user: "one" } };
    const users = [{ name: "one", user: {} }];
    writeFileSync(
      kubeconfig,
      JSON.stringify({ clusters: [cluster], contexts: [context], users, "current-context": "one" }),
    );
    for (const changes of ["--renew", "--remove"]) {
      expect(await at.call("certs", changes)).toEqual(
        failure(
          2,
          `certs ${changes} can mean two certificates. Say which: --cluster for the webhook of ${kubeconfig}'s cluster, or --local ` +
            "for one of this machine.",
        ),
      );
    }
    const meant = [["--cluster"], ["-n", "flyte"], ["--secret.kubernetes.kubeconfig", kubeconfig]];
    for (const how of meant) {
      const { exitCode, stderr } = await at.call("certs", "--renew", ...how);
      expect([exitCode, stderr]).toEqual([
        1,
        expect.stringContaining(`127.0.0.1:${port} (context one of ${kubeconfig})`),
      ]);
    }
    at.env.KUBECONFIG = kubeconfig;
    expect((await at.call("certs", "--renew")).stderr).toContain(`127.0.0.1:${port}`);
    expect(existsSync(at.store)).toBe(false);
    expect((await at.call("certs", "--renew", "--local", "--wait=0s")).exitCode).toBe(0);
    for (const wait of ["3", "-1s", "2h", "x".repeat(99)]) {
      expect((await at.call("certs", "--renew", "--local", "--wait", wait)).exitCode).toBe(2);
    }
  });

  it("fails where a webhook of this machine goes on serving another one, and says which and where", async () => {
    const { cert, key } = await createCertificate();
    const server = createTlsServer({ cert, key }).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const { exitCode, stderr } = await at.call(
      "certs",
      "--renew",
      "--local",
      "--wait=1s",
      `--webhook.listenPort=${port}`,
    );
    const { fingerprint256 } = new X509Certificate(cert);
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining(`and after 1 s it is not served: 127.0.0.1:${port} serves ${fingerprint256}. Look at`),
    ]);
  });

  it("shows one that others make, says what is wrong with it, and leaves it to them", async () => {
    const directory = join(at.home, "certs");
    mkdirSync(directory);
    const setting = ["--webhook.certDir", directory];
    const { cert, key } = await createCertificate();
    writeFileSync(join(directory, "tls.crt"), cert);
    writeFileSync(join(directory, "tls.key"), key);
    const { exitCode, stdout } = await at.call("certs", ...setting);
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^In {12}${directory}/tls.crt\n[^]*State {9}good\n$`)),
    ]);
    writeFileSync(join(directory, "tls.key"), (await createCertificate()).key);
    const mixed = await at.call("certs", ...setting);
    const fault = "its certificate and key do not belong together";
    expect([mixed.exitCode, mixed.stdout.split("\n").at(-2), mixed.stderr]).toEqual([
      1,
      `State         ${fault}`,
      `error: ${directory}/tls.crt: ${fault}; see --renew\n`,
    ]);
    expect(await at.call("certs", "--renew", ...setting)).toEqual(
      failure(
        1,
        `${directory} holds tls.crt and tls.key, which others make: have them renewed there, or set webhook.localCert to true`,
      ),
    );
  });
});
