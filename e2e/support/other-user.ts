import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Requirement } from "./requirement.ts";

/** Linux's `nobody`, in whose place the attacks of another local user run. */
export const OTHER_UID = 65534;

/** Only root may start a process of somebody else's. */
export function requireOtherUser(): Requirement {
  if (process.geteuid?.() === 0) return { missing: false };
  return { missing: true, what: "root, to start a process of another user", enable: "sudo npm run e2e" };
}

/** A program of another user's that listens where this user's server was. */
export interface Impostor {
  readonly pid: number;
  readonly port: number;
  /** Ends it; all that it was sent. */
  stop(): Promise<string>;
}

/**
 * Listens on 127.0.0.1, on `port` (0 takes a free one), as another user, and answers every request as a secret service
 * would.
 */
export async function startImpostor(port: number): Promise<Impostor> {
  // It says in JSON what it hears, a line each.
  const program = `
    const say = (message) => process.stdout.write(JSON.stringify(message) + "\\n");
    const { createServer } = require("node:http");
    createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => { body += chunk; });
      request.on("end", () => {
        say({ sent: [request.method, request.url, ...request.rawHeaders, body].join(" ") });
        response.setHeader("content-type", request.headers["content-type"] ?? "text/plain");
        response.end();
      });
    }).listen(${port}, "127.0.0.1", function () { say({ port: this.address().port }); });`;
  const child = spawn(process.execPath, ["-e", program], { uid: OTHER_UID, gid: OTHER_UID, cwd: "/", env: {} });
  child.stderr.pipe(process.stderr);
  const sent: string[] = [];
  let listening = (_port: number) => {};
  const started = new Promise<number>((resolve) => {
    listening = resolve;
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const message: { port?: number; sent?: string } = JSON.parse(line);
    if (message.port !== undefined) listening(message.port);
    else sent.push(message.sent ?? "");
  });
  const bound = await started;
  return {
    pid: child.pid ?? 0,
    port: bound,
    async stop() {
      const ended = once(child, "close");
      child.kill();
      await ended;
      return sent.join("\n");
    },
  };
}
