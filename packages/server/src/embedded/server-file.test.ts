import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, test } from "vitest";
import { announceServer, findRunningServer } from "./server-file.ts";

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "flyte-secrets-server-"));
  file = join(directory, "server.json");
});
afterEach(() => rmSync(directory, { recursive: true }));

it("announces a server for this user alone until it is taken back", () => {
  const server = { endpoint: "http://127.0.0.1:8093", pid: process.pid };
  const takeBack = announceServer(directory, server);
  expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(server);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(findRunningServer(directory)).toEqual(server);
  takeBack();
  expect(existsSync(file)).toBe(false);
  expect(findRunningServer(directory)).toBeUndefined();
});

it("lets the later of two servers be found, and keeps its announcement when the earlier one ends", () => {
  const takeBackFirst = announceServer(directory, { endpoint: "http://127.0.0.1:1", pid: process.pid });
  const second = { endpoint: "http://127.0.0.1:2", pid: process.pid };
  const takeBackSecond = announceServer(directory, second);
  takeBackFirst();
  expect(findRunningServer(directory)).toEqual(second);
  takeBackSecond();
  takeBackSecond();
  expect(existsSync(file)).toBe(false);
});

it("does not find a server whose process has ended", () => {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  announceServer(directory, { endpoint: "http://127.0.0.1:1", pid });
  expect(findRunningServer(directory)).toBeUndefined();
});

test.each([
  "",
  "{",
  "[]",
  '{"endpoint":"x","pid":1}',
  '{"endpoint":"http://a","pid":"1"}',
  '{"endpoint":"http://a"}',
])("finds no server in a file with %j", (text) => {
  writeFileSync(file, text, { mode: 0o600 });
  expect(findRunningServer(directory)).toBeUndefined();
});
