import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { podReview, review, taskPod } from "@flyte-secrets/webhook/testing";
import { onTestFinished } from "vitest";
import { startWebhookProcess, type WebhookProcess } from "../support/start-webhook.ts";
import { AS_IN_THE_IMAGE, type AttackedProgram } from "./under-attack.ts";

/** How long an API server waits for a webhook of ours by default; an answer that comes later is none. */
const PATIENCE_MS = 30_000;

/** A webhook and its API server, which opens a connection for each pod, as it does when it has none to spare. */
export type AttackedWebhook = WebhookProcess & AttackedProgram;

/** Starts the webhook as the image does, until the test ends. */
export async function startAttackedWebhook(flags: Readonly<Record<string, string>> = {}): Promise<AttackedWebhook> {
  const webhook = await startWebhookProcess({ flags, nodeOptions: AS_IN_THE_IMAGE });
  onTestFinished(async () => void (await webhook.stop()));
  const body = podReview(taskPod([]));
  return {
    ...webhook,
    pid: webhook.process.pid ?? 0,
    async ask() {
      const options = { agent: false, signal: AbortSignal.timeout(PATIENCE_MS) } as const;
      const answer = (await review(webhook, body, options)) as { response: { allowed: boolean } };
      if (!answer.response.allowed) throw new Error(JSON.stringify(answer));
    },
  };
}

/** A connection of an attacker's, who listens to what comes and never complains. */
export interface AttackSocket {
  readonly socket: Socket;
  /** Sends this; resolves when it has left, or when the connection is closed. */
  send(bytes: string | Uint8Array): Promise<void>;
  /** All that has come, once the server has closed the connection. */
  readonly answer: Promise<string>;
}

export interface AttackTarget {
  readonly port: number;
  readonly plain?: "plain";
  readonly host?: string;
  /** The attacker's own address, one of this machine's. */
  readonly localAddress?: string;
}

/** Opens a connection, with TLS unless it is to be `plain`; undefined when the server closes it before it is there. */
export async function openSocket({ plain, ...to }: AttackTarget): Promise<AttackSocket | undefined> {
  const target = { host: "127.0.0.1", ...to };
  const socket = plain ? connectPlain(target) : connectTls({ ...target, rejectUnauthorized: false });
  onTestFinished(() => void socket.destroy());
  let text = "";
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    if (text.length < 64 * 1024) text += chunk;
  });
  // Unlike `once`, these don't care for errors.
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const opened = new Promise<void>((resolve) => socket.once(plain ? "connect" : "secureConnect", () => resolve()));
  await Promise.race([opened, closed]);
  if (socket.destroyed) return undefined;
  return {
    socket,
    send: (bytes) => Promise.race([new Promise<void>((resolve) => socket.write(bytes, () => resolve())), closed]),
    answer: closed.then(() => text),
  };
}

/** Opens many, `atOnce` at a time; those that the server closed at once are left out. */
export async function openSockets(
  count: number,
  { atOnce = 50, ...target }: AttackTarget & { readonly atOnce?: number },
): Promise<AttackSocket[]> {
  const sockets: AttackSocket[] = [];
  while (sockets.length < count) {
    const next = Array.from({ length: Math.min(atOnce, count - sockets.length) }, () => openSocket(target));
    const opened = (await Promise.all(next)).filter((socket) => socket !== undefined);
    if (opened.length === 0) throw new Error("no connection is taken any more");
    sockets.push(...opened);
  }
  return sockets;
}

/** The head of a review's request. */
export function reviewHead(...lines: readonly string[]): string {
  return ["POST /mutate--v1-pod HTTP/1.1", "host: x", "content-type: application/json", ...lines, "", ""].join("\r\n");
}
