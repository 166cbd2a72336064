import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { encodeSecretId, type SecretId } from "@flyte-secrets/core";
import { expect, onTestFinished, test } from "vitest";
import { openAws } from "./aws/provider.ts";
import { explainFailure } from "./failures.ts";

const id: SecretId = { org: "flyte", project: "", domain: "", name: "k" };
const HINTS = { settings: "its address", busy: /^Busy$/, broken: /^Broken$/ };
const coded = (code: string, message = "") => Object.assign(new Error(message), { code });

test.each([
  ["ENOTFOUND", "DNS does not know its address (ENOTFOUND): check its address, and that the webhook's pod may ask DNS"],
  [
    "ECONNREFUSED",
    "it cannot be reached (ECONNREFUSED): check its address, and that firewalls and network policies let the webhook through",
  ],
  ["CERT_HAS_EXPIRED", "its certificate is not valid now (CERT_HAS_EXPIRED): check its address"],
  [
    "SELF_SIGNED_CERT_IN_CHAIN",
    "its certificate is not trusted (SELF_SIGNED_CERT_IN_CHAIN): name its CA in NODE_EXTRA_CA_CERTS",
  ],
  [
    "Busy",
    "it refuses more calls for now (Busy), and is called again later; raise its quota, or cache values for longer " +
      "(cache.inMemoryFixedSize.defaultExpiration)",
  ],
  ["Broken", "it has an internal fault (Broken), and is called again later"],
  ["Unheard", "Unheard"],
])("%s is explained, and what to do about it", (code, expected) => {
  expect(explainFailure(coded(code, "s3cret"), code, HINTS)).toBe(expected);
});

/** What reading a secret fails with at this endpoint of AWS. */
async function failure(endpoint: string): Promise<string> {
  const credentials = { accessKeyId: "a", secretAccessKey: "b" };
  const backend = await openAws({ region: "eu-west-1", endpoint }, { credentials, maxAttempts: 1 });
  const name = encodeSecretId(id);
  const outcome = (await backend.read([name], { signal: AbortSignal.timeout(20_000) })).get(name);
  return outcome instanceof Error ? outcome.message : "no failure";
}

async function answering(status: number, type: string): Promise<string> {
  const server = createServer((_, res) => {
    res.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
    res.end(JSON.stringify({ __type: type, Message: "the value is s3cret" }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("the error for a failure of AWS's SDK names the secret and the remedy, and quotes no response", async () => {
  const asked = `secret ${encodeSecretId(id)} failed to be read from secret manager AWS: `;
  expect(await failure("http://127.0.0.1:9")).toBe(
    `${asked}it cannot be reached (ECONNREFUSED): check awsConfig.region and awsConfig.endpoint, and that firewalls and network policies let the webhook through`,
  );
  expect(await failure(await answering(400, "ThrottlingException"))).toContain(`${asked}it refuses more calls for now`);
  expect(await failure(await answering(500, "InternalServiceError"))).toBe(
    `${asked}it has an internal fault (InternalServiceError), and is called again later`,
  );
  expect(await failure(await answering(400, "UnrecognizedClientException"))).toBe(
    `${asked}UnrecognizedClientException; give the webhook credentials that AWS accepts (EKS Pod Identity or IRSA of its service account, or AWS_ACCESS_KEY_ID and its like)`,
  );
  expect(await failure(await answering(400, "RequestTimeTooSkewed"))).toContain("set the clock of the webhook's node");
});
