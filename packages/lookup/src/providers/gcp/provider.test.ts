import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { encodeSecretId, encodeShortSecretId, type SecretId, type SecretValue } from "@flyte-secrets/core";
import { describeSecretFetcher } from "@flyte-secrets/testkit/vitest";
import { credentials, status } from "@grpc/grpc-js";
import { GoogleAuth, PassThroughClient } from "google-auth-library";
import { expect, onTestFinished, test } from "vitest";
import { createProviderFetcher } from "../secret-provider.ts";
import { startFakeGcp } from "../testing/fake-gcp.ts";
import { openGcp } from "./provider.ts";

const id: SecretId = { org: "flyte", domain: "development", project: "shop", name: "api-key" };

/** Given, so that nobody asks Google's metadata server for some; the channel without TLS sends none. */
const auth = new GoogleAuth({ authClient: new PassThroughClient() });

async function connect(port: number) {
  const endpoint = `http://127.0.0.1:${port}`;
  return createProviderFetcher(
    await openGcp({ project: "my-project", endpoint }, { sslCreds: credentials.createInsecure(), auth }),
  );
}

/** A server that speaks HTTP/2, but not gRPC. */
async function startForeign() {
  const server = createServer((_, res) =>
    res.writeHead(404, { "content-type": "text/html" }).end("<html>Not Found</html>"),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => void sessions.add(session));
  const close = async () => {
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port: (server.address() as AddressInfo).port, close };
}

async function start() {
  const [gcp, foreign] = await Promise.all([startFakeGcp(), startForeign()]);
  const [own, other] = await Promise.all([connect(gcp.port), connect(foreign.port)]);
  let fetcher = own;
  const put = async (name: string, value: SecretValue) => void gcp.secrets.set(name, value.revealBytes());
  return {
    ...gcp,
    fetcher: { ...own, fetch: (...args: Parameters<typeof own.fetch>) => fetcher.fetch(...args) },
    put: (id: SecretId, value: SecretValue) => put(encodeSecretId(id), value),
    putShort: (id: SecretId, value: SecretValue) => put(encodeShortSecretId(id) ?? "", value),
    putEmpty: async (id: SecretId) => void gcp.secrets.set(encodeSecretId(id), undefined),
    fail(fault: Parameters<typeof gcp.fail>[0]) {
      if (fault === "foreign") fetcher = other;
      else gcp.fail(fault);
    },
    async close() {
      await Promise.all([gcp.close(), foreign.close()]);
    },
  };
}

describeSecretFetcher("GCP", start);

test.each([
  [
    status.FAILED_PRECONDITION,
    "value_unreadable",
    "its latest version is disabled or destroyed: enable it, or add a version",
  ],
  [status.UNAUTHENTICATED, "credentials_refused", /UNAUTHENTICATED; give the webhook credentials that Google accepts/],
  [status.DEADLINE_EXCEEDED, "store_unavailable", /it cannot be reached \(DEADLINE_EXCEEDED\): check gcpConfig/],
  [status.UNKNOWN, "store_unavailable", /it has an internal fault \(UNKNOWN\)/],
])("gRPC's status %i is %s", async (code, expected, message) => {
  const gcp = await start();
  onTestFinished(() => gcp.close());
  gcp.secrets.set(encodeSecretId(id), code);
  const outcome = (await gcp.fetcher.fetch([id])).get(id);
  expect(outcome).toMatchObject({ code: expected, message: expect.stringMatching(message) });
});

test("a key with a character that no secret's name there can have is absent", async () => {
  const fetcher = createProviderFetcher(await openGcp({ project: "my-project", endpoint: "" }));
  const dotted = { ...id, name: "tls.crt" };
  expect(await fetcher.fetch([dotted])).toEqual(new Map());
  expect(fetcher.nameOf?.(dotted)).toBe(`${encodeSecretId(dotted)}, which no secret of GCP can be called`);
});

test("the project must be configured", async () => {
  await expect(openGcp({ project: "", endpoint: "" })).rejects.toMatchObject({ code: "invalid_config" });
});
