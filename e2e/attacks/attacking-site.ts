import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { openPage } from "../support/chromium.ts";

const SCRIPT = readFileSync(join(import.meta.dirname, "attacking-page.js"));
const PAGE =
  '<!doctype html><meta charset="utf-8"><body><script type="module" src="/attacker/page.js"></script></body>';

export interface AttackingSite {
  readonly port: number;
  /** Opens the page in a browser, at this name of the site, and waits for what it saw of each attempt. */
  visit(host: string, target: string): Promise<Readonly<Record<string, string>>>;
  close(): Promise<void>;
}

/**
 * A web site with a page that attacks. What is none of its own is answered by the server at `rebound`, as the browser
 * sent it: as if the site's name had come to point there.
 */
export async function startAttackingSite(rebound: string): Promise<AttackingSite> {
  let onSaw = (_: Record<string, string>) => {};
  const server = createServer(async (req, res) => {
    switch (req.url?.replace(/\?.*/, "")) {
      case "/attacker/page":
        res.setHeader("content-type", "text/html").end(PAGE);
        return;
      case "/attacker/page.js":
        res.setHeader("content-type", "text/javascript").end(SCRIPT);
        return;
      case "/attacker/saw":
        onSaw((await json(req)) as Record<string, string>);
        res.end();
        return;
      default:
        forward(req, res, rebound);
    }
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async visit(host, target) {
      const saw = new Promise<Record<string, string>>((resolve) => {
        onSaw = resolve;
      });
      const page = await openPage(`http://${host}:${port}/attacker/page?target=${encodeURIComponent(target)}`);
      try {
        return await saw;
      } finally {
        await page.stop();
      }
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function forward(req: IncomingMessage, res: ServerResponse, to: string): void {
  const { method, rawHeaders: headers, url = "/" } = req;
  const forwarded = request(new URL(url, to), { method, headers, agent: false, setHost: false }, (answer) => {
    res.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    answer.pipe(res);
  });
  forwarded.on("error", () => res.destroy());
  req.pipe(forwarded);
}
