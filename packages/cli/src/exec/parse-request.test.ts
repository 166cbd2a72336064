import { MountRequirement } from "@flyte-secrets/core";
import { expect, test } from "vitest";
import { parseFileRequest, parseVariableRequest } from "./parse-request.ts";

const request = (fields: object) => ({ group: "", groupVersion: "", envVar: "", ...fields });
const ENV = { mountRequirement: MountRequirement.ENV_VAR };
const FILE = { mountRequirement: MountRequirement.FILE };

test.each([
  ["openai-key", { key: "openai-key", envVar: "OPENAI_KEY" }],
  ["openai-key=KEY_2", { key: "openai-key", envVar: "KEY_2" }],
  ["db/password", { group: "db", key: "password", envVar: "DB_PASSWORD" }],
  ["projects/p/secrets/db/latest=DB", { group: "projects/p/secrets/db", key: "latest", envVar: "DB" }],
])("-s %s asks for a variable", (text, fields) => {
  expect(parseVariableRequest(text)).toEqual(request({ ...ENV, ...fields }));
});

test.each([
  ["cert.pem", { key: "cert.pem" }],
  ["tls/cert.pem=CERT", { group: "tls", key: "cert.pem", envVar: "CERT" }],
])("--file %s asks for a file", (text, fields) => {
  expect(parseFileRequest(text)).toEqual(request({ ...FILE, ...fields }));
});

test.each(["", "=", "=A", "/", "/key", "db/", "db/=A"])("%j names no secret", (text) => {
  const error = "-s takes KEY, GROUP/KEY or KEY=VARIABLE";
  expect(() => parseVariableRequest(text)).toThrow(expect.objectContaining({ code: "usage", message: error }));
});

test.each([
  "key=",
  "key=sk-a-value",
  "key=A=B",
  "key=a",
  "key=9",
  "key=A\n",
])("%j names no variable, and is not quoted", (text) => {
  for (const [option, parse] of [
    ["-s", parseVariableRequest],
    ["--file", parseFileRequest],
  ] as const) {
    expect(() => parse(text)).toThrow(
      `${option}: what follows the = is the name of a variable, in capital letters, digits and _; the value is that of the secret`,
    );
  }
});

test("a key of which no variable can be named says how to name one", () => {
  expect(() => parseVariableRequest("cert.pem")).toThrow(
    "-s: the variable of cert.pem would be CERT.PEM, which is no name of one; choose one: -s cert.pem=NAME",
  );
});
