import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCertificate } from "@flyte-secrets/testkit";
import { describe, expect, it } from "vitest";
import { failure, success, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();
const NAMES = "flyte-pod-webhook, flyte-pod-webhook.flyte, flyte-pod-webhook.flyte.svc, localhost, 127.0.0.1";

describe("certs", () => {
  it("shows that there is none, makes one, and puts another in its place", async () => {
    const file = join(at.store, "webhook/webhook-certificate.pem");
    expect(await at.call("certs")).toEqual({
      exitCode: 1,
      stdout: `In            ${at.store}/webhook\nState         there is none; flyte-secrets webhook makes one\n`,
      stderr: `error: ${at.store}/webhook: there is no certificate\n`,
    });
    expect(existsSync(at.store)).toBe(false);

    const made = await at.call("certs", "--renew");
    const certificate = () => new X509Certificate(readFileSync(file, "utf8"));
    const shown = ({ subject, validFromDate, validToDate, fingerprint256 }: X509Certificate) =>
      success(
        [
          `In            ${file}`,
          `Subject       ${subject}`,
          `Names         ${NAMES}`,
          `From          ${validFromDate.toISOString()}`,
          `To            ${validToDate.toISOString()}`,
          `SHA-256       ${fingerprint256}`,
          "State         good\n",
        ].join("\n"),
      );
    const first = certificate();
    expect(made).toEqual(shown(first));
    expect(await at.call("certs")).toEqual(shown(first));
    expect(await at.call("certs", "--renew")).toEqual(shown(certificate()));
    expect(certificate().fingerprint256).not.toBe(first.fingerprint256);
    expect(readFileSync(join(at.store, "webhook/webhook-ca.crt"), "utf8").match(/BEGIN/g)).toHaveLength(2);
  });

  it("removes the one of this machine, and says when there is nothing", async () => {
    await at.call("certs", "--renew");
    expect(await at.call("certs", "--remove")).toEqual(success(`Removed ${at.store}/webhook.\n`));
    expect(existsSync(join(at.store, "webhook"))).toBe(false);
    expect(await at.call("certs", "--remove")).toEqual(success("There was nothing to remove.\n"));
    expect(await at.call("certs", "--remove", "--renew")).toEqual(failure(2, "--renew cannot be used with --remove"));
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
