import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCertificate } from "@flyte-secrets/testkit";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { pino } from "pino";
import { expect, it, onTestFinished, test } from "vitest";
import { send } from "../testing/post-review.ts";
import { readClientCertificates } from "./client-certificates.ts";
import { serveEndpoint } from "./serve-endpoint.ts";

const [server, trusted, stranger] = await Promise.all([createCertificate(), createCertificate(), createCertificate()]);
const log = pino({ level: "silent" });

/** What a listener answers to somebody who shows a certificate, if it does. */
async function askAs(certificate: { cert: string; key: string } | undefined, names: readonly string[]) {
  const listener = await serveEndpoint({
    endpoint: () => ({ status: 200, text: "let in" }),
    host: "127.0.0.1",
    port: 0,
    tls: server,
    clients: { ca: trusted.cert, names },
    setting: "port",
    log,
  });
  onTestFinished(() => listener.close({ graceMs: 0 }));
  const ask = () =>
    send({ port: listener.port, ca: server.cert }, "{}", { ...certificate, agent: false }).then(
      ({ text }) => text,
      () => "no answer",
    );
  const first = await ask();
  // As another certificate of the server's comes, what clients have to show must not be forgotten.
  listener.replaceCertificate(server);
  expect(await ask()).toBe(first);
  return first;
}

it.each([
  ["a certificate of that CA is let in", trusted, [], "let in"],
  ["one that has the name as common name or DNS name is let in", trusted, ["kube-apiserver", "localhost"], "let in"],
  ["one without the name gets no connection", trusted, ["kube-apiserver"], "no answer"],
  ["one of another CA gets no connection", stranger, [], "no answer"],
  ["nobody gets a connection who shows none", undefined, [], "no answer"],
])("%s", async (_, certificate, names, expected) => {
  expect(await askAs(certificate, names)).toBe(expected);
});

test("what is asked of the API server is read from its file", () => {
  const file = join(createTemporaryDirectory(), "ca.pem");
  writeFileSync(file, trusted.cert);
  expect(readClientCertificates({ clientCA: "", clientNames: [] })).toBeUndefined();
  expect(readClientCertificates({ clientCA: file, clientNames: ["a"] })).toEqual({ ca: trusted.cert, names: ["a"] });
});

test("a file without a certificate, and names without a CA, are settings that can't be honoured", () => {
  const file = join(createTemporaryDirectory(), "ca.pem");
  writeFileSync(file, trusted.key);
  const read = (clientCA: string) => () => readClientCertificates({ clientCA, clientNames: ["a"] });
  expect(read(file)).toThrow(`webhook.clientCA: ${file} is no file with a PEM certificate`);
  expect(read("/none")).toThrow("webhook.clientCA: /none is no file with a PEM certificate");
  expect(read("")).toThrow("webhook.clientNames needs webhook.clientCA beside it");
});
