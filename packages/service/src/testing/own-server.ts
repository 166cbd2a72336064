import { once } from "node:events";
import { createServer } from "node:http";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { pino } from "pino";
import { secretService } from "../secret-service.ts";

/** Serves secrets beside an application's own routes; returns its port and how to stop it. */
export async function serveWithMyRoutes(directory: string, token: string) {
  const log = pino();
  const store = await openEmbeddedStore({ directory, log });
  const secrets = secretService({
    store,
    config: { organization: "flyte", auth: { mode: "token", token }, webhookURL: "" },
    telemetry: { log },
  });
  const server = createServer((req, res) => {
    if (req.url === "/hello") res.end("my own route\n");
    else secrets.handler(req, res);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const stop = async () => {
    await secrets.close(); // not ready any more; calls in flight are done
    server.close();
    await once(server, "close");
    await store.close();
  };
  const address = server.address();
  return { port: typeof address === "object" ? address?.port : undefined, stop };
}
