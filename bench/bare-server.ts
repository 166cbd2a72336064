// The reference: a Node server that reads the request and answers fixed bytes. Configured by one JSON message over IPC
// ({ http2, status, headers, body (base64), trailers }); reports its port the same way.
import { createServer as createHttp1, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttp2, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import type { AddressInfo } from "node:net";

export interface BareAnswer {
  readonly http2: boolean;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly trailers: Record<string, string>;
}

process.once("message", (answer: BareAnswer) => {
  const body = Buffer.from(answer.body, "base64");
  const answerFixed = (
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
  ) => {
    request.resume();
    request.once("end", () => {
      response.writeHead(200, answer.headers);
      if (answer.http2) {
        response.write(body);
        response.addTrailers(answer.trailers);
        response.end();
      } else response.end(body);
    });
  };
  const server = answer.http2 ? createHttp2(answerFixed) : createHttp1(answerFixed);
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
});
process.once("disconnect", () => process.exit(0));
