import { once } from "node:events";
import { createServer } from "node:http";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { onTestFinished } from "vitest";

/** An issuer of tokens that a test moves by hand. */
export interface TestIssuer {
  readonly url: string;
  /** Paths asked for so far. */
  readonly requests: string[];
  /** A token that is good for an hour unless `claims` say otherwise; signed with the current key. */
  sign(claims?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Signs with a new key from now on, and publishes that one only. */
  rotate(): Promise<void>;
  /** From now on connections are refused, as by an issuer that is down. */
  goDown(): Promise<void>;
  /** Listens again on the same port. */
  comeBack(): Promise<void>;
}

export interface TestIssuerOptions {
  /** Where the metadata is; `/.well-known/openid-configuration` if not given. */
  readonly metadataPath?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Paths whose documents are elsewhere, where a redirection leads. */
  readonly redirected?: readonly string[];
  /** Paths whose documents come with a status that says that something has failed. */
  readonly failing?: readonly string[];
  /** Published before its key. */
  readonly otherKeys?: readonly unknown[];
}

/** Starts one that ends with the test. */
export async function startIssuer(options: TestIssuerOptions = {}): Promise<TestIssuer> {
  const {
    metadataPath = "/.well-known/openid-configuration",
    metadata = {},
    redirected = [],
    failing = [],
    otherKeys = [],
  } = options;
  let keyNumber = 1;
  let keys = await generateKeyPair("ES256");
  const requests: string[] = [];
  const server = createServer(async (req, res) => {
    requests.push(req.url ?? "");
    const documents: Record<string, () => Promise<object>> = {
      [metadataPath]: async () => ({
        issuer: url,
        jwks_uri: `${url}/keys`,
        token_endpoint: `${url}/token`,
        ...metadata,
      }),
      "/keys": async () => ({
        keys: [...otherKeys, { ...(await exportJWK(keys.publicKey)), kid: `key-${keyNumber}`, alg: "ES256" }],
      }),
    };
    const path = req.url ?? "";
    const isMoved = redirected.includes(path);
    const document = documents[path.replace(/^\/moved/, "")];
    if (isMoved) res.writeHead(302, { location: `${url}/moved${path}` }).end();
    else if (document === undefined) res.writeHead(404).end();
    else
      res
        .writeHead(failing.includes(path) ? 500 : 200, { "content-type": "application/json" })
        .end(JSON.stringify(await document()));
  });
  const start = async (port: number) => {
    await once(server.listen(port, "127.0.0.1"), "listening");
  };
  const stop = async () => {
    if (!server.listening) return;
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  await start(0);
  onTestFinished(stop);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    requests,
    sign: (claims = {}) =>
      new SignJWT({ iss: url, aud: "secrets", sub: "someone", exp: Math.floor(Date.now() / 1000) + 3600, ...claims })
        .setProtectedHeader({ alg: "ES256", kid: `key-${keyNumber}` })
        .sign(keys.privateKey),
    async rotate() {
      keyNumber += 1;
      keys = await generateKeyPair("ES256");
    },
    goDown: stop,
    comeBack: () => start(port),
  };
}
