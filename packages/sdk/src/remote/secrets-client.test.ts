import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { text } from "node:stream/consumers";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { SecretsError } from "@flyte-secrets/core";
import { AuthMetadataService, ClusterService, SecretService, type SelectClusterRequest } from "@flyte-secrets/idl";
import { createCertificate } from "@flyte-secrets/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Connection } from "./connection.ts";
import { Secret } from "./secret.ts";
import { createSecretsClient, type SecretsClient } from "./secrets-client.ts";

const refusal = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => "no refusal",
    (error: unknown) => (error instanceof SecretsError ? [error.code, error.message] : error),
  );

async function listenOn<Listener extends Server>(server: Listener, scheme = "http"): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const serve = (routes: (router: ConnectRouter) => void): Promise<string> =>
  listenOn(createServer(connectNodeAdapter({ routes })));

/** A secret service that remembers what was sent along, and refuses what `accept` doesn't take. */
function secrets(
  seen: (string | null)[],
  accept: (token: string | null) => boolean = () => true,
  header = "authorization",
) {
  return (router: ConnectRouter): void => {
    router.service(SecretService, {
      getSecret: ({ id }, context: HandlerContext) => {
        const token = context.requestHeader.get(header);
        seen.push(token);
        if (!accept(token)) throw new ConnectError("who are you?", Code.Unauthenticated);
        return { secret: id === undefined ? {} : { id } };
      },
    });
  };
}

function connect(endpoint: string, rest: Partial<Connection> = {}): SecretsClient {
  const client = createSecretsClient({
    endpoint,
    org: "acme",
    project: "",
    domain: "",
    auth: { kind: "token", token: "t" },
    tls: { rejectUnauthorized: true },
    timeoutMs: 10_000,
    ...rest,
  });
  onTestFinished(() => client.close());
  return client;
}

describe("SelectCluster", () => {
  /** A control plane that answers with `cluster` and remembers what it was asked. */
  async function startControlPlane(cluster: (self: string) => string, seen: (string | null)[]) {
    const asked: SelectClusterRequest[] = [];
    let self = "";
    self = await serve((router) => {
      secrets(seen)(router);
      router.service(ClusterService, {
        selectCluster: (request) => {
          asked.push(request);
          return { clusterEndpoint: cluster(self) };
        },
      });
    });
    return { self, asked };
  }

  test.each<[Partial<Connection>, string | undefined, object]>([
    [
      { project: "p", domain: "d" },
      undefined,
      { case: "projectId", value: { name: "p", domain: "d", organization: "acme" } },
    ],
    [{ domain: "d" }, undefined, { case: "domainId", value: { name: "d", organization: "acme" } }],
    [{}, undefined, { case: "orgId", value: { name: "acme" } }],
    [{}, "gpu", { case: "clusterPoolId", value: { name: "gpu", organization: "acme" } }],
  ])("is asked once with the scope %j and pool %s", async (scope, clusterPool, resource) => {
    const { self, asked } = await startControlPlane(() => "", []);
    const client = connect(self, scope);
    await Secret.get("k", { client, clusterPool });
    await Secret.get("k", { client, clusterPool });
    expect(asked).toMatchObject([{ operation: 8, resource }]);
    expect(asked).toHaveLength(1);
  });

  test("sends the calls to the cluster that it names, with the token", async () => {
    const [atCluster, atControlPlane]: (string | null)[][] = [[], []];
    const cluster = await serve(secrets(atCluster ?? []));
    const { self } = await startControlPlane(() => cluster.replace("http://", "dns:///"), atControlPlane ?? []);
    await Secret.get("k", { client: connect(self) });
    expect([atCluster, atControlPlane]).toEqual([["Bearer t"], []]);
  });

  test.each<[string, (self: string) => string]>([
    ["the same address", (self) => self],
    ["the same address as a proxied server sees it", (self) => self.replace("http:", "https:")],
  ])("that answers %s keeps the connection", async (_, answer) => {
    const seen: (string | null)[] = [];
    const { self } = await startControlPlane(answer, seen);
    await Secret.get("k", { client: connect(self) });
    expect(seen).toEqual(["Bearer t"]);
  });

  test("that answers with no address is a fault of that server", async () => {
    const { self } = await startControlPlane(() => "http://a b", []);
    expect(await refusal(Secret.get("k", { client: connect(self) }))).toEqual([
      "internal",
      `${self} names "http://a b" as the cluster to call: no address.`,
    ]);
  });

  test("that is not there, as an RPC or at all, leaves the configured address", async () => {
    const seen: (string | null)[] = [];
    await Secret.get("k", { client: connect(await serve(secrets(seen))) });
    const unimplemented = await serve((router) => {
      secrets(seen)(router);
      router.service(ClusterService, {});
    });
    await Secret.get("k", { client: connect(unimplemented) });
    expect(seen).toEqual(["Bearer t", "Bearer t"]);
  });

  test("that fails fails the call, and is asked again by the next one", async () => {
    const answers = [new ConnectError("not now", Code.Unavailable), { clusterEndpoint: "" }];
    const endpoint = await serve((router) => {
      secrets([])(router);
      router.service(ClusterService, {
        selectCluster: () => {
          const answer = answers.shift();
          if (answer instanceof Error) throw answer;
          return answer ?? {};
        },
      });
    });
    const client = connect(endpoint);
    expect(await refusal(Secret.get("k", { client }))).toEqual(["store_unavailable", "not now"]);
    expect((await Secret.get("k", { client })).name).toBe("k");
  });
});

describe("client credentials", () => {
  interface Issued {
    readonly form: string;
    readonly authorization: string | undefined;
  }

  /** A service that names a token endpoint beside it, which gives the tokens t1, t2, ... */
  async function startWithTokens(options: {
    seen: (string | null)[];
    accept?: (token: string | null) => boolean;
    answer?: (count: number) => { status: number; body: string };
    header?: string;
  }) {
    const issued: Issued[] = [];
    const {
      answer = (count) => ({ status: 200, body: JSON.stringify({ access_token: `t${count}`, expires_in: 3600 }) }),
      header = "",
    } = options;
    const tokenEndpoint = await listenOn(
      createServer(async (request, response) => {
        issued.push({ form: await text(request), authorization: request.headers.authorization });
        const { status, body } = answer(issued.length);
        response.writeHead(status).end(body);
      }),
    );
    const endpoint = await serve((router) => {
      secrets(options.seen, options.accept, header || undefined)(router);
      router.service(AuthMetadataService, {
        getOAuth2Metadata: () => ({ tokenEndpoint: `${tokenEndpoint}/token` }),
        getPublicClientConfig: () => ({
          scopes: ["all", "offline"],
          audience: "aud",
          authorizationMetadataKey: header,
        }),
      });
    });
    const credentials = { clientId: "my id", clientSecret: "s:c/t" };
    return { issued, tokenEndpoint, client: connect(endpoint, { auth: { kind: "credentials", credentials } }) };
  }

  test("are exchanged for a token once, which goes with every call in the header that the server names", async () => {
    const seen: (string | null)[] = [];
    const { client, issued } = await startWithTokens({ seen, header: "flyte-authorization" });
    await Secret.get("k", { client });
    await Secret.get("k", { client });
    expect(issued).toEqual([
      {
        form: "grant_type=client_credentials&scope=all+offline&audience=aud",
        authorization: `Basic ${Buffer.from("my+id:s%3Ac%2Ft").toString("base64")}`,
      },
    ]);
    expect(seen).toEqual(["Bearer t1", "Bearer t1"]);
  });

  test("are exchanged once for all calls that come meanwhile, also when the first of them gives up", async () => {
    const seen: (string | null)[] = [];
    const { client, issued } = await startWithTokens({ seen });
    const first = new AbortController();
    const given = refusal(Secret.get("k", { client, signal: first.signal }));
    const others = Array.from({ length: 20 }, () => Secret.get("k", { client }));
    first.abort();
    expect(await given).toEqual(["canceled", expect.anything()]);
    await Promise.all(others);
    expect(issued).toHaveLength(1);
    expect(new Set(seen)).toEqual(new Set(["Bearer t1"]));
  });

  test("are exchanged again when the server refuses the token, and the call is repeated once", async () => {
    const seen: (string | null)[] = [];
    const { client, issued } = await startWithTokens({ seen, accept: (token) => token === "Bearer t2" });
    expect((await Secret.get("k", { client })).name).toBe("k");
    expect(seen).toEqual(["Bearer t1", "Bearer t2"]);
    const refusing = await startWithTokens({ seen: [], accept: () => false });
    expect(await refusal(Secret.get("k", { client: refusing.client }))).toEqual(["unauthenticated", "who are you?"]);
    expect([issued, refusing.issued].map(({ length }) => length)).toEqual([2, 2]);
  });

  test("are exchanged before a token expires", async () => {
    const seen: (string | null)[] = [];
    const answer = (count: number) => ({
      status: 200,
      body: JSON.stringify({ access_token: `t${count}`, expires_in: 20 }),
    });
    const { client } = await startWithTokens({ seen, answer });
    await Secret.get("k", { client });
    await Secret.get("k", { client });
    expect(seen.at(-1)).not.toBe(seen[0]);
  });

  test.each([
    [{ status: 401, body: '{"error":"invalid_client"}' }, "invalid_client"],
    [{ status: 502, body: "<html>" }, "HTTP 502"],
    [{ status: 200, body: "null" }, "HTTP 200"],
  ])("that the token endpoint answers with %j are an error that says why", async (answered, reason) => {
    const { client, tokenEndpoint } = await startWithTokens({ seen: [], answer: () => answered });
    expect(await refusal(Secret.get("k", { client }))).toEqual([
      "unauthenticated",
      `${tokenEndpoint}/token gave no token for the client credentials: ${reason}. Check client id and secret.`,
    ]);
  });

  test("need a server that names a token endpoint", async () => {
    const endpoint = await serve((router) => {
      router.service(AuthMetadataService, { getOAuth2Metadata: () => ({}), getPublicClientConfig: () => ({}) });
    });
    const client = connect(endpoint, {
      auth: { kind: "credentials", credentials: { clientId: "c", clientSecret: "s" } },
    });
    expect(await refusal(Secret.get("k", { client }))).toEqual([
      "unauthenticated",
      `${endpoint} names no OAuth2 token endpoint: use a token instead of client credentials.`,
    ]);
  });

  test("never go to a plain HTTP token endpoint of a service with TLS", async () => {
    const certificate = await createCertificate();
    const routes = (router: ConnectRouter): void => {
      router.service(AuthMetadataService, {
        getOAuth2Metadata: () => ({ tokenEndpoint: "http://127.0.0.1:1/token" }),
        getPublicClientConfig: () => ({}),
      });
    };
    const endpoint = await listenOn(createSecureServer(certificate, connectNodeAdapter({ routes })), "https");
    const client = connect(endpoint, {
      auth: { kind: "credentials", credentials: { clientId: "c", clientSecret: "s" } },
      tls: { rejectUnauthorized: true, ca: certificate.cert },
    });
    expect(await refusal(Secret.get("k", { client }))).toEqual([
      "unauthenticated",
      `${endpoint} names http://127.0.0.1:1 as its token endpoint: client credentials are sent over https only.`,
    ]);
  });
});

test("TLS is checked against the system's certificates, the given ones, or not at all", async () => {
  const certificate = await createCertificate();
  const handler = connectNodeAdapter({ routes: secrets([]) });
  const endpoint = await listenOn(createSecureServer(certificate, handler), "https");
  const callAt = (address: string, tls: Connection["tls"]) =>
    refusal(Secret.get("k", { client: connect(address, { tls }) }));
  const call = (tls: Connection["tls"]) => callAt(endpoint, tls);
  expect(await call({ rejectUnauthorized: true })).toEqual([
    "store_unavailable",
    `${endpoint} cannot be reached: its certificate is not trusted. Name its CA's file in admin.caCertFilePath (FLYTE_ADMIN_CACERTFILEPATH).`,
  ]);
  expect(await call({ rejectUnauthorized: true, ca: certificate.cert })).toBe("no refusal");
  const mapped = endpoint.replace("127.0.0.1", "[::ffff:7f00:1]");
  expect(await callAt(mapped, { rejectUnauthorized: true, ca: certificate.cert })).toEqual([
    "store_unavailable",
    `${mapped} cannot be reached: its certificate is for other names (IP Address:127.0.0.1, DNS:localhost). Use a name that it has, or have one made for this address.`,
  ]);
  expect(await call({ rejectUnauthorized: false })).toBe("no refusal");
});

test("TLS to a server of plain HTTP, and the reverse, name the remedy", async () => {
  const certificate = await createCertificate();
  const handler = connectNodeAdapter({ routes: secrets([]) });
  const secure = await listenOn(createSecureServer(certificate, handler), "https");
  const plain = await serve(secrets([]));
  const call = (endpoint: string) => refusal(Secret.get("k", { client: connect(endpoint) }));
  const [asSecure, asPlain] = [plain.replace("http:", "https:"), secure.replace("https:", "http:")];
  expect(await call(asSecure)).toEqual([
    "store_unavailable",
    `${asSecure} cannot be reached: it does not speak TLS. If it speaks plain HTTP, use --insecure, or set admin.insecure to true.`,
  ]);
  const noHttp =
    "it gives no answer to plain HTTP. If it speaks TLS, leave out --insecure (admin.insecure), or write https://; else see whether it runs.";
  expect(await call(asPlain)).toEqual(["store_unavailable", `${asPlain} cannot be reached: ${noHttp}`]);
  // As servers written in Go have it.
  const go = await listenOn(
    createServer((_, res) => res.writeHead(400).end("Client sent an HTTP request to an HTTPS server.\n")),
  );
  expect(await call(go)).toEqual(["store_unavailable", `${go} cannot be reached: ${noHttp}`]);
});
