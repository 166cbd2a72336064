import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { announceServer } from "./server-file.ts";

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
  takeBack();
  takeBack();
  expect(existsSync(file)).toBe(false);
});
