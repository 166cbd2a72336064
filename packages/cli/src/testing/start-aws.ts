import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A server that speaks as much of AWS Secrets Manager's wire as reading takes; e2e asks moto for the rest. */
export interface AwsServer {
  readonly url: string;
  /** By name; undefined for one that has no value. */
  readonly secrets: Map<string, string | undefined>;
  close(): Promise<void>;
}

export async function startAws(): Promise<AwsServer> {
  const secrets = new Map<string, string | undefined>();
  const server = createServer(async (req, res) => {
    const { SecretId, SecretIdList = [SecretId] }: { SecretId: string; SecretIdList?: string[] } = JSON.parse(
      await text(req),
    );
    const isOne = req.headers["x-amz-target"] === "secretsmanager.GetSecretValue";
    const found = SecretIdList.filter((name) => secrets.has(name)).map((Name) => ({
      Name,
      ARN: `arn:aws:secretsmanager:us-east-1:123456789012:secret:${Name}-AbCdEf`,
      SecretString: secrets.get(Name),
    }));
    const missing = SecretIdList.filter((name) => !secrets.has(name));
    const ErrorCode = "ResourceNotFoundException";
    const failed = isOne && found.length === 0;
    res.writeHead(failed ? 400 : 200, { "content-type": "application/x-amz-json-1.1" });
    const Errors = missing.map((SecretId) => ({ SecretId, ErrorCode }));
    res.end(JSON.stringify(failed ? { __type: ErrorCode } : isOne ? found[0] : { SecretValues: found, Errors }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    secrets,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
