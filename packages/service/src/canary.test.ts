import { gzipSync } from "node:zlib";
import { createClient } from "@connectrpc/connect";
import { SecretService } from "@flyte-secrets/idl";
import { expect, test } from "vitest";
import { send } from "./testing/send.ts";
import { startTestService } from "./testing/start-test-service.ts";
import { TRANSPORTS } from "./testing/transports.ts";

const CANARY = "canary-value-7f3a91c2";
const FORMS = [CANARY, Buffer.from(CANARY).toString("base64").replace(/=+$/, ""), Buffer.from(CANARY).toString("hex")];
const CREATE = "/flyteidl2.secret.SecretService/CreateSecret";

test("a value shows up in no log line at any level and in no answer", async () => {
  const { url, log, close } = await startTestService({ config: { webhookURL: "http://127.0.0.1:1" } });
  const answers: unknown[] = [];
  for (const [index, createTransport] of Object.values(TRANSPORTS).entries()) {
    const client = createClient(SecretService, createTransport(url));
    const id = { name: `k${index}` };
    const secretSpec = { value: { case: "stringValue", value: CANARY } } as const;
    const binarySpec = { value: { case: "binaryValue", value: Buffer.from(CANARY) } } as const;
    answers.push(await client.createSecret({ id, secretSpec }));
    answers.push(await client.createSecret({ id, secretSpec }).catch(String));
    answers.push(await client.updateSecret({ id, secretSpec: binarySpec }));
    answers.push(
      await client.createSecret({ id: { name: "pull" }, secretSpec: { ...secretSpec, type: 1 } }).catch(String),
    );
    answers.push(await client.createSecret({ id: { ...id, project: "p" }, secretSpec }).catch(String));
    answers.push((await client.getSecret({ id })).secret?.id?.name);
    answers.push((await client.listSecrets({})).secrets.length);
  }
  const json = { "content-type": "application/json" };
  for (const body of [
    CANARY,
    `{"secretSpec":{"stringValue":"${CANARY}"}}}`,
    `{"secretSpec":{"stringValue":{"a":"${CANARY}"}}}`,
    `{"secretSpec":{"binaryValue":"${CANARY}%"}}`,
    `{"secretSpec":"${CANARY}"}`,
  ]) {
    for (const headers of [json, { ...json, "content-encoding": "gzip" }]) {
      const sent = { method: "POST", headers, body: ["content-encoding" in headers ? gzipSync(body) : body] };
      answers.push((await send(url + CREATE, sent)).body.toString());
      answers.push((await send(`${url}/secrets/api/v1`, sent)).body.toString());
      answers.push((await send(`${url}/secrets/api/v1/name/k0`, { ...sent, method: "PUT" })).body.toString());
    }
  }
  answers.push((await send(`${url}/${CANARY.slice(0, 3)}?message=${CANARY}`)).body.toString());
  await close();
  expect(log.length).toBeGreaterThan(80);
  const everything = JSON.stringify([log, answers]);
  for (const form of FORMS) expect(everything).not.toContain(form);
});
