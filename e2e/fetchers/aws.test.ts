import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { encodeSecretId, encodeShortSecretId, type SecretId, SecretValue } from "@flyte-secrets/core";
import { openLookup } from "@flyte-secrets/lookup";
import { openProviderFetcher } from "@flyte-secrets/lookup/testing";
import { describeSecretFetcher } from "@flyte-secrets/testkit/vitest";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { pythonProgram, requirePython } from "../support/python-environment.ts";
import { describeWith } from "../support/requirement.ts";
import { startProgram } from "../support/start-program.ts";
import { CACHE, PARTS } from "./lookup-parts.ts";

const MOTO = { name: "moto", version: "5.2.5", extras: "[server]", program: "moto_server" };
// Where the SDK looks first.
Object.assign(process.env, { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" });

describeWith(requirePython(MOTO), "AWS's API as moto has it", () => {
  let moto: Awaited<ReturnType<typeof startProgram>>;
  beforeAll(async () => {
    moto = await startProgram(pythonProgram(MOTO, "moto_server"), ["-H", "127.0.0.1", "-p", "0"], {
      ready: /Running on (http:\/\/127\.0\.0\.1:\d+)/,
    });
  });
  afterAll(() => moto.stop());

  test("a secret that a request names by its group is found by name, by ARN, and by the ARN as far as the name", async () => {
    const [, endpoint = ""] = moto.match;
    const client = new SecretsManagerClient({ region: "us-east-1", endpoint });
    onTestFinished(() => client.destroy());
    const { ARN = "" } = await client.send(
      new CreateSecretCommand({ Name: "team/my-db", SecretString: '{"password":"p"}' }),
    );
    const source = { type: "AWS", region: "us-east-1", endpoint } as const;
    const lookup = await openLookup({ source, cache: CACHE, maxIdLength: 253 }, PARTS);
    onTestFinished(() => lookup.close());
    for (const group of ["team/my-db", ARN, ARN.slice(0, -7)]) {
      const found = await lookup.findInGroup(group, "password");
      expect(found).toMatchObject({ found: true, value: SecretValue.fromText("p") });
    }
    expect(await lookup.findInGroup(ARN.slice(0, -8), "password")).toMatchObject({ found: false });
  });

  describeSecretFetcher("AWS on moto", async () => {
    const [, endpoint = ""] = moto.match;
    await fetch(`${endpoint}/moto-api/reset`, { method: "POST" });
    const config = { region: "us-east-1", endpoint };
    const client = new SecretsManagerClient(config);
    const put = async (name: string, value: SecretValue) => {
      const text = value.revealText();
      const content = text === undefined ? { SecretBinary: value.revealBytes() } : { SecretString: text };
      try {
        await client.send(new CreateSecretCommand({ Name: name, ...content }));
      } catch (error) {
        if (!(error instanceof Error && error.name === "ResourceExistsException")) throw error;
        await client.send(new PutSecretValueCommand({ SecretId: name, ...content }));
      }
    };
    return {
      fetcher: await openProviderFetcher({ type: "AWS", ...config }),
      put: (id: SecretId, value: SecretValue) => put(encodeSecretId(id), value),
      refusesEmptyValues: true,
      putShort: (id: SecretId, value: SecretValue) => put(encodeShortSecretId(id) ?? "", value),
      close: async () => client.destroy(),
    };
  });
});
