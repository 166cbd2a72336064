import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { BackendFault } from "@flyte-secrets/testkit/vitest";

export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface FakeAnswer {
  readonly status: number;
  readonly json: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface FakeBackend {
  readonly url: string;
  readonly requests: FakeRequest[];
  fail(fault: BackendFault | undefined): void;
  close(): Promise<void>;
}

/** Faults that look different with each secret manager; the others are the same for all. */
export type OwnFault = "forbidden" | "throttled" | "lying";

/**
 * A secret manager on loopback that speaks its documented HTTP: `answer` is what it says, `fault` how it is to fail.
 * What is the same wherever HTTP is spoken (no answer, a cut connection, 500, a page that is not there) is done here.
 */
export async function startFakeBackend(
  answer: (request: FakeRequest, fault?: OwnFault) => FakeAnswer,
): Promise<FakeBackend> {
  let fault: BackendFault | undefined;
  const requests: FakeRequest[] = [];
  const server = createServer(async (req, res) => {
    const request = { method: req.method ?? "", path: req.url ?? "", headers: req.headers, body: await text(req) };
    requests.push(request);
    const reply = ({ status, json, headers }: FakeAnswer) =>
      res.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(json));
    switch (fault) {
      case "silent":
        return;
      case "gone":
        req.socket.destroy();
        return;
      case "broken":
        reply({ status: 500, json: { message: "fault" } });
        return;
      case "foreign":
        res.writeHead(404, { "content-type": "text/html" }).end("<html>Not Found</html>");
        return;
      default:
        reply(answer(request, fault));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    fail(next) {
      fault = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
