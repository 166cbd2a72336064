import type { Settings } from "@flyte-secrets/config";
import { SecretsError, SecretValue } from "@flyte-secrets/core";
import { describe, expect, it, test } from "vitest";
import { createLogger, toLoggable } from "./logger.ts";

const CANARY = "canary-4f1c";
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

interface Lines {
  readonly lines: string[];
  readonly isTTY?: boolean;
  write(line: string): void;
}

function collect(isTTY = false): Lines {
  const lines: string[] = [];
  return { lines, isTTY, write: (line) => void lines.push(line) };
}

function settings(
  changes: Partial<Omit<Settings["logger"], "formatter">> & { type?: Settings["logger"]["formatter"]["type"] } = {},
) {
  const { type = "auto", ...rest } = changes;
  return { level: "debug", "show-source": false, mute: false, formatter: { type }, ...rest } as const;
}

describe("levels", () => {
  test.each([
    ["debug", ["debug", "info", "warn", "error", "fatal"]],
    ["info", ["info", "warn", "error", "fatal"]],
    ["warn", ["warn", "error", "fatal"]],
    ["error", ["error", "fatal"]],
    ["fatal", ["fatal"]],
    ["panic", []],
  ] as const)("at %s it writes that level and what is more severe", (level, written) => {
    const output = collect();
    const log = createLogger(settings({ level }), output);
    for (const name of ["debug", "info", "warn", "error", "fatal"] as const) log[name]("x");
    expect(output.lines.map((line) => JSON.parse(line).level)).toEqual(written);
  });

  it("writes nothing when muted", () => {
    const output = collect();
    createLogger(settings({ mute: true }), output).fatal("x");
    expect(output.lines).toEqual([]);
  });
});

describe("forms", () => {
  it("is one JSON object a line when the destination is no terminal", () => {
    const output = collect();
    createLogger(settings(), output).info({ secret: "name", count: 2 }, "created");
    expect(output.lines.map((line) => JSON.parse(line))).toEqual([
      { level: "info", time: TIME, secret: "name", count: 2, msg: "created" },
    ]);
    expect(output.lines[0]).toMatch(/\}\n$/);
  });

  it("is text on a terminal, and JSON there when that is asked for", () => {
    const terminal = collect(true);
    createLogger(settings(), terminal).warn({ path: "/a", note: "two words", n: 1 }, "watch out");
    expect(terminal.lines).toEqual([expect.stringMatching(/^\S+Z WARN {2}watch out path=\/a note="two words" n=1\n$/)]);
    const json = collect(true);
    createLogger(settings({ type: "json" }), json).warn("x");
    expect(JSON.parse(json.lines[0] ?? "")).toEqual({ level: "warn", time: TIME, msg: "x" });
  });

  it("has Google Cloud's names with gcp", () => {
    const output = collect();
    createLogger(settings({ type: "gcp" }), output).fatal({ a: 1 }, "x");
    expect(output.lines.map((line) => JSON.parse(line))).toEqual([
      { severity: "CRITICAL", timestamp: TIME, a: 1, message: "x" },
    ]);
  });

  it("names file and line of the caller with show-source", () => {
    const output = collect();
    createLogger(settings({ "show-source": true }), output).info("x");
    expect(JSON.parse(output.lines[0] ?? "").source).toMatch(/^logger\.test\.ts:\d+$/);
  });
});

describe("what strays into an entry", () => {
  const value = SecretValue.fromText(CANARY);
  const sdkError = Object.assign(new Error("boom"), { code: "E1", request: { body: CANARY } });

  test.each([
    ["a secret value", { value }, { value: "[secret value]" }],
    ["one inside a list", { list: [{ value }] }, { list: [{ value: "[secret value]" }] }],
    ["bytes", { body: Buffer.from(CANARY) }, { body: `[${CANARY.length} bytes]` }],
    ["a date", { at: new Date(0) }, { at: "1970-01-01T00:00:00.000Z" }],
  ])("shows %s safely", (_, entry, shown) => {
    const output = collect();
    createLogger(settings(), output).info(entry, "x");
    expect(JSON.parse(output.lines[0] ?? "")).toEqual({ level: "info", time: TIME, msg: "x", ...shown });
  });

  it("shows errors as name, code, message, frames and causes, under any key, and nothing else of them", () => {
    const output = collect();
    const error = new SecretsError("store_unavailable", "the store is down", { cause: sdkError });
    const log = createLogger(settings(), output);
    log.error({ err: error }, "x");
    log.error(error);
    log.error({ reason: new AggregateError([sdkError], "both") });
    const stack = expect.arrayContaining([expect.stringMatching(/^at /)]);
    const cause = { name: "Error", code: "E1", message: "boom", stack };
    const described = { name: "SecretsError", code: "store_unavailable", message: "the store is down", stack, cause };
    expect(output.lines.map((line) => JSON.parse(line))).toEqual([
      { level: "error", time: TIME, msg: "x", err: described },
      { level: "error", time: TIME, msg: "the store is down", err: described },
      { level: "error", time: TIME, reason: { name: "AggregateError", message: "both", stack, errors: [cause] } },
    ]);
  });

  it("withholds a parser's message, which quotes its input", () => {
    const output = collect();
    try {
      JSON.parse(CANARY);
    } catch (cause) {
      createLogger(settings(), output).error({ err: new Error("bad body", { cause }) });
    }
    expect(output.lines).toHaveLength(1);
    expect(output.lines.join()).not.toContain(CANARY.slice(0, 6));
  });

  it("ends at a cause that points back to its error", () => {
    const output = collect();
    const error = new Error("a");
    error.cause = error;
    createLogger(settings(), output).error(error);
    expect(output.lines.join()).toContain("[too deep]");
  });
});

describe("an error in a log", () => {
  it("has no line of a message that is withheld among its frames", () => {
    const logged = toLoggable(new SyntaxError("unexpected:\n    at s3cret"));
    expect(logged).toMatchObject({ stack: expect.arrayContaining([expect.stringContaining("logger.test.ts")]) });
    expect(JSON.stringify(logged)).not.toContain("s3cret");
  });
});
