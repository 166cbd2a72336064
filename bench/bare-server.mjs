// The reference: a Node server that reads the request and answers fixed bytes. Configured by one message over IPC (of
// rpc.ts); reports its port the same way. JavaScript, so that its start-up is not that of a compiler.
import { createServer as createHttp1 } from "node:http";
import { createServer as createHttp2 } from "node:http2";

process.once("message", (answer) => {
  const body = Buffer.from(answer.body, "base64");
  const answerFixed = (request, response) => {
    request.resume();
    request.once("end", () => {
      response.writeHead(200, answer.headers);
      if (answer.http2) {
        response.write(body);
        response.addTrailers(answer.trailers);
      }
      response.end(answer.http2 ? undefined : body);
    });
  };
  const server = answer.http2 ? createHttp2(answerFixed) : createHttp1(answerFixed);
  server.listen(0, "127.0.0.1", () => process.send?.(server.address().port));
});
process.once("disconnect", () => process.exit(0));
