import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ERROR_KINDS, type ErrorKind } from "@flyte-secrets/core";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FLYTE_VERSION, flytePythonOf, requireFlyte } from "../support/flyte-python.ts";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";

/**
 * What Flyte's client makes of an answer: how often it repeats the call, and whether it logs in, with credentials and
 * without.
 */
interface Reaction {
  readonly code: string;
  readonly repeats: number;
  readonly logsIn: boolean;
  readonly logsInAgain: boolean;
}

/** An error as the client has it, or what came over HTTP. */
type Answer = { readonly code: string; readonly message: string } | { readonly status: number; readonly body: string };

async function ask(answers: readonly Answer[]): Promise<Reaction[]> {
  const script = join(import.meta.dirname, "flyte_retries.py");
  const result = await runProgram(flytePythonOf(FLYTE_VERSION), [script], { input: JSON.stringify(answers) });
  expect(result, result.stderr).toMatchObject({ exitCode: 0 });
  return JSON.parse(result.stdout);
}

describeWith(requireFlyte(), `flyte ${FLYTE_VERSION}, what it makes of errors: plain with token`, () => {
  it("of each of the error table: it repeats what may pass by itself, and logs in for want of credentials alone", async () => {
    const kinds = Object.entries<ErrorKind>(ERROR_KINDS);
    const reactions = await ask(kinds.map(([, kind]) => ({ code: kind.connect, message: kind.meaning })));
    const login = (code: string) => ({ logsIn: code === "unauthenticated", logsInAgain: code === "unauthenticated" });
    expect(reactions.map((reaction, at) => [kinds[at]?.[0], reaction])).toEqual(
      kinds.map(([code, { connect, retryable }]) => [
        code,
        { code: connect, repeats: retryable || code === "internal" ? 3 : 0, ...login(code) },
      ]),
    );
  });

  let serve: ServeProcess;
  beforeAll(async () => {
    serve = await startServe({ args: ["--auth", "token"] });
  });
  afterAll(async () => {
    expect(await serve.close()).toEqual({ exitCode: 0 });
  });

  async function send(request: string): Promise<Answer> {
    const socket = connect(serve.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(request);
    const answer = await text(socket);
    const [head = "", ...body] = answer.split("\r\n\r\n");
    return { status: Number(head.split(" ")[1]), body: body.join("\r\n\r\n") };
  }

  it("of answers to requests that are none of ours or can't be read: it neither repeats them nor logs in", async () => {
    const path = "/flyteidl2.secret.SecretService/GetSecret";
    const authorization = `authorization: Bearer ${serve.token}`;
    const request = (start: string, headers: readonly string[] = [], body = "{}") =>
      [
        `${start} HTTP/1.1`,
        "host: 127.0.0.1",
        "connection: close",
        `content-length: ${body.length}`,
        authorization,
        ...headers,
        "",
        body,
      ].join("\r\n");
    const json = "content-type: application/json";
    const sent = {
      "a call that there isn't": request("POST /flyteidl2.task.TaskService/DeployTask", [json]),
      "another path": request("POST /nothing"),
      "another method": request(`PUT ${path}`, [json]),
      "a GET of what has side effects": request(
        "GET /flyteidl2.secret.SecretService/DeleteSecret?encoding=json&message=%7B%7D",
      ),
      "another method of REST": request("PATCH /secrets/api/v1", [json]),
      "no content type": request(`POST ${path}`),
      "another content type": request(`POST ${path}`, ["content-type: text/plain"]),
      "a body that is no JSON": request(`POST ${path}`, [json], "{"),
      "a body that is too large": request(`POST ${path}`, [json], JSON.stringify({ future: "x".repeat(100_000) })),
      "another compression": request(`POST ${path}`, [json, "content-encoding: br"]),
      "a secret that is called unauthorized": request(`POST ${path}`, [json], '{"id":{"name":"unauthorized"}}'),
      "a time limit that is none": request(`POST ${path}`, [json, "connect-timeout-ms: soon"]),
      "a header of 20 KiB": request(`POST ${path}`, [json, `x-long: ${"x".repeat(20_000)}`]),
      "two lengths": request(`POST ${path}`, [json, "content-length: 7"]),
      "no HTTP": "hello there\r\n\r\n",
    };
    const answers: Answer[] = [];
    for (const text of Object.values(sent)) answers.push(await send(text));
    const reactions = await ask(answers);
    expect(Object.keys(sent).map((what, at) => [what, { ...reactions[at], code: "" }])).toEqual(
      Object.keys(sent).map((what) => [what, { code: "", repeats: 0, logsIn: false, logsInAgain: false }]),
    );
  });

  it("of a wrong token: it logs in, once, and doesn't repeat the call besides", async () => {
    const json = "content-type: application/json\r\ncontent-length: 2";
    const request = `POST /flyteidl2.secret.SecretService/ListSecrets HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n${json}\r\n\r\n{}`;
    expect(await ask([await send(request)])).toEqual([
      { code: "unauthenticated", repeats: 0, logsIn: true, logsInAgain: true },
    ]);
  });
});
