import { Code, ConnectError } from "@connectrpc/connect";
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import { ERROR_KINDS, type ErrorCode, SecretsError } from "@flyte-secrets/core";
import { pino } from "pino";
import { expect, test } from "vitest";
import { avoidLoginPrompt, toConnectError } from "./connect-errors.ts";

function surroundings(signal = new AbortController().signal) {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return { lines, log, signal };
}

test.each(Object.entries(ERROR_KINDS))("%s has the Connect code of the catalogue", (code, kind) => {
  const { lines, ...rest } = surroundings();
  const error = toConnectError(new SecretsError(code as ErrorCode, "what to do"), rest);
  const connect = code === "canceled" ? "unavailable" : kind.connect;
  expect([error.code, error.rawMessage, lines]).toEqual([codeFromString(connect), "what to do", []]);
  // At which Flyte's clients log in.
  expect([Code.PermissionDenied, Code.Unknown]).not.toContain(error.code);
});

test("what caused an error of ours is in the log alone", () => {
  const { lines, ...rest } = surroundings();
  const cause = new Error("ENOSPC");
  const error = toConnectError(new SecretsError("store_full", "the disk is full", { cause }), rest);
  expect(error.rawMessage).toBe("the disk is full");
  expect(lines).toMatchObject([{ level: 40, code: "store_full", err: { stack: expect.stringContaining("ENOSPC") } }]);
});

test("an unknown error is internal with an id under which the log has the rest", () => {
  const { lines, ...rest } = surroundings();
  const error = toConnectError(new TypeError("x is not a function"), rest);
  expect(error.code).toBe(Code.Internal);
  const [line] = lines;
  expect(error.rawMessage).toBe(`internal error, see the server's log for ${String(line?.id)}`);
  expect(line).toMatchObject({ level: 50, err: { type: "TypeError", message: "x is not a function" } });
});

test("an abort is told by its reason", () => {
  const reason = new ConnectError("the operation timed out", Code.DeadlineExceeded);
  const { lines, ...rest } = surroundings(AbortSignal.abort(reason));
  expect(toConnectError(new DOMException("aborted", "AbortError"), rest)).toBe(reason);
  expect(lines).toEqual([]);
});

test.each([
  "deadline_exceeded",
  "canceled",
] as const)("%s is the caller's where the caller's time is over, else unavailable", (code) => {
  const failure = new SecretsError(code, "The time limit passed before the API server answered.");
  const reason = new ConnectError("the operation timed out", Code.DeadlineExceeded);
  const { lines, ...rest } = surroundings(AbortSignal.abort(reason));
  expect(toConnectError(failure, rest)).toBe(reason);
  expect(lines).toEqual([]);
  expect(toConnectError(failure, surroundings())).toMatchObject({
    code: Code.Unavailable,
    rawMessage: failure.message,
  });
});

test("a caller who has hung up is no failure of ours", () => {
  const { lines, ...rest } = surroundings(AbortSignal.abort());
  const error = toConnectError(new DOMException("aborted", "AbortError"), rest);
  expect([error.code, error.rawMessage]).toEqual([Code.Canceled, "the caller is gone"]);
  expect(lines).toEqual([]);
});

test("no message sounds like a request to log in", () => {
  expect(avoidLoginPrompt("Unauthorized: UNAUTHENTICATED")).toBe("Un-authorized: UN-AUTHENTICATED");
  expect(avoidLoginPrompt("secret api-key not found")).toBe("secret api-key not found");
});
