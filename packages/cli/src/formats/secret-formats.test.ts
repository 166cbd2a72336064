import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SecretsError, SecretValue } from "@flyte-secrets/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dotenvValues, secretNames } from "../testing/dotenv-files.ts";
import { dotenvFormat } from "./dotenv-format.ts";
import { jsonFormat } from "./json-format.ts";
import { kubernetesFormat } from "./kubernetes-format.ts";
import type { DotenvReader, SecretEntry, SecretFormat } from "./secret-entry.ts";
import { formatFor } from "./secret-formats.ts";

const CANARY = "canary-5d0f";
const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/);
const bytes = fc.uint8Array({ maxLength: 64 }).map((value) => SecretValue.fromBytes(value));

describe("file formats", () => {
  it.each([
    ["json", jsonFormat],
    ["kubernetes", kubernetesFormat],
  ])("%s gives back every value it wrote, byte for byte", (_, format) => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, bytes), { selector: ([key]) => key }), (pairs) => {
        const entries = pairs.map(([name, value]): SecretEntry => ({ name, type: "generic", value }));
        expect(reveal(format.parse(format.print(entries)))).toEqual(reveal(entries));
      }),
    );
  });

  it("env gives back every name and value that it does not refuse to write", () => {
    let written = 0;
    fc.assert(
      fc.property(fc.uniqueArray(secretNames, { maxLength: 3 }), dotenvValues, (names, value) => {
        const entries = names.map(
          (name): SecretEntry => ({ name, type: "generic", value: SecretValue.fromText(value) }),
        );
        const text = attempt(() => dotenvFormat.print(entries));
        if (text instanceof SecretsError) {
          expect(text.message).toMatch(/; use (--for \w+ or )*--format json$/);
          return;
        }
        written += 1;
        expect(reveal(dotenvFormat.parse(text))).toEqual(reveal(entries));
      }),
      { numRuns: 2_000 },
    );
    expect(written).toBeGreaterThan(400);
  });

  it("env writes quotes, line feeds, backslashes and comment signs, and refuses what one reader or another would change", () => {
    expect(write("plain")).toBe("K='plain'\n");
    expect(write("it's")).toBe('K="it\'s"\n');
    expect(write("a\n# b\\n $HOME `x`")).toBe("K='a\n# b\\n $HOME `x`'\n");
    const unwritable = (readers: string) =>
      `the value of K cannot be written in .env so that all readers take it alike; use ${readers}--format json`;
    expect(write("touch PWNED #'`")).toBe(unwritable("--for sh or --for compose or --for dotenv or "));
    expect(write("'`\"")).toBe(unwritable("--for sh or --for compose or "));
    expect(write("cr\r\n")).toBe(unwritable("--for sh or --for compose or --for dotenv or "));
    expect(write("a\\\\b")).toBe(unwritable("--for sh or --for compose or --for dotenv or "));
    expect(write("$".concat("{A}"))).toBe(unwritable("--for sh or --for compose or "));
    expect(write("\0")).toBe(unwritable(""));
  });

  it("env says that bytes are no text, for whichever reader", () => {
    const entries: SecretEntry[] = [
      { name: "K", type: "generic", value: SecretValue.fromBytes(Uint8Array.of(0, 255)) },
    ];
    const message = "the value of K is bytes and no text, which a .env file can't hold; use --format json";
    expect(() => dotenvFormat.print(entries)).toThrow(message);
    expect(() => dotenvFormat.print(entries, { reader: "sh" })).toThrow(message);
  });

  it("env writes for one reader what all together don't take", () => {
    expect(write("it's $5", "sh")).toBe("K='it'\\''s $5'\n");
    expect(write("it's $5\r\\", "compose")).toBe('K="it\'s \\$5\\r\\\\"\n');
    expect(write("it's $5\r", "dotenv")).toBe('K="it\'s $5\\r"\n');
    expect(write('say "it\'s"\\', "dotenv")).toBe('K=say "it\'s"\\\n');
    expect(write("$".concat("{A}"), "dotenv")).toBe(
      "the value of K cannot be written in .env for python-dotenv and npm's dotenv; use --for sh or --for compose or --format json",
    );
  });

  it("env writes names that are no variables as the SDK derives them, and reads them back", () => {
    const named = (...names: string[]) =>
      names.map((name): SecretEntry => ({ name, type: "generic", value: SecretValue.fromText("v") }));
    const text = dotenvFormat.print(named("openai-key", "token", "TOKEN"));
    expect(text).toBe("# flyte-secrets: openai-key\nOPENAI_KEY='v'\ntoken='v'\nTOKEN='v'\n");
    expect(dotenvFormat.parse(text).map(({ name }) => name)).toEqual(["openai-key", "token", "TOKEN"]);
    expect(dotenvFormat.print([{ name: "openai-key", type: "generic" }])).toBe(
      "# flyte-secrets: openai-key\n# OPENAI_KEY=\n",
    );
    const refused = (...names: string[]) => attempt(() => dotenvFormat.print(named(...names)));
    const error = (message: string) => new SecretsError("invalid_argument", message);
    expect(refused("api-key", "API_KEY")).toEqual(
      error("api-key and API_KEY would both be the variable API_KEY; use --format json"),
    );
    expect(refused("1st")).toEqual(error("1st has no name that a variable can have; use --format json"));
    expect(refused("__proto__")).toEqual(error("__proto__ has no name that a variable can have; use --format json"));
    expect(refused("ld-preload")).toEqual(
      error(
        "ld-preload would be the variable LD_PRELOAD, by which programs find or choose the code that they run; use --format json",
      ),
    );
    expect(refused("UID")).toEqual(
      error("UID would be the variable UID, which shells use themselves; use --format json"),
    );
  });

  it("env takes a secret's name from the comment right before its variable, and refuses one that doesn't belong there", () => {
    const names = (file: string) =>
      attempt(() =>
        dotenvFormat
          .parse(file)
          .map(({ name }) => name)
          .join(),
      );
    expect(names("# flyte-secrets: a-b\nA_B=1\n")).toBe("a-b");
    expect(names("# flyte-secrets: a-b\n# A_B=1\nB=2\n")).toBe("B");
    expect(names("# flyte-secrets: a-b\n\nA_B=1\n")).toBe("A_B");
    expect(names("\n# flyte-secrets: a-b\nA=1\n")).toEqual(
      new SecretsError("invalid_argument", "line 3: A is not the variable of a-b, which the comment before it names"),
    );
  });

  it.each([
    ["a line that is no assignment", `A=1\n${CANARY}\n`, "line 2: expected NAME=value"],
    ["a quote without end", `A="${CANARY}\nB=1\n`, 'line 1: the " of A has no end'],
    ["a name given twice", `A=${CANARY}\nA=2\n`, "line 2: A stands twice in the file"],
  ])("env refuses %s", (_, file, message) => {
    expect(() => dotenvFormat.parse(file)).toThrow(new SecretsError("invalid_argument", message));
  });

  it("json reads text, bytes and image-pull secrets", () => {
    const file = `{"a":"text","b":{"base64":"AAE="},"c":{"type":"image_pull","text":"{}"}}`;
    expect(reveal(jsonFormat.parse(file))).toEqual([
      ["a", "generic", "text"],
      ["b", "generic", "\u0000\u0001"],
      ["c", "image_pull", "{}"],
    ]);
  });

  it.each([
    ["no JSON", `{"a": ${CANARY}}`, "the file is not JSON"],
    ["no object", `"${CANARY}"`, 'expected a JSON object of names and values, such as {"api-key": "..."}'],
    [
      "a list of something else",
      `[{"name":"a","text":"x"},"${CANARY}"]`,
      "entry 2 of the list: expected name, and project and domain where it has them, as strings",
    ],
    ["an entry of a list without value", `[{"name":"a","domain":"d"}]`, "a needs either text or base64, a string"],
    [
      "a name twice in a list",
      `[{"name":"a","text":"x"},{"name":"a","text":"${CANARY}"}]`,
      "a stands twice in the file",
    ],
    ["a name without value", `{"a":null}`, "a has no value: expected a string"],
    ["a number", `{"a":1}`, "a has no value: expected a string"],
    ["half a character", `{"a":"\\ud800"}`, "the value of a is no well-formed Unicode; write its bytes in base64"],
    [
      "half a character as text",
      `{"a":{"text":"\\udc00x"}}`,
      "the value of a is no well-formed Unicode; write its bytes in base64",
    ],
    ["two values", `{"a":{"text":"${CANARY}","base64":"AA=="}}`, "a needs either text or base64, a string"],
    ["bad base64", `{"a":{"base64":"${CANARY}"}}`, "a is not base64"],
    ["an unknown key", `{"a":{"${CANARY}":"x"}}`, "a has an unknown key: expected text or base64, and type"],
    ["an unknown type", `{"a":{"type":"${CANARY}","text":"x"}}`, "a: type must be regular or image_pull"],
  ])("json refuses %s", (_, file, message) => {
    expect(() => jsonFormat.parse(file)).toThrow(new SecretsError("invalid_argument", message));
  });

  it("kubernetes reads data, stringData, several documents, lists and image-pull secrets", () => {
    const file = [
      "kind: Secret\ndata: {a: AAE=}\nstringData: {b: text}",
      "kind: List\nitems: [{kind: Secret, stringData: {c: x}}]",
      "kind: Secret\ntype: kubernetes.io/dockerconfigjson\nmetadata: {name: pull}\ndata: {.dockerconfigjson: e30=}",
    ].join("\n---\n");
    expect(reveal(kubernetesFormat.parse(file))).toEqual([
      ["a", "generic", "\u0000\u0001"],
      ["b", "generic", "text"],
      ["c", "generic", "x"],
      ["pull", "image_pull", "{}"],
    ]);
  });

  it("kubernetes reads Secrets in Flyte's form with their scopes, and whatever else bears such a key as it stands", () => {
    const key = "u__org__flyte__domain__dev__project__shop__key__api__key";
    const named = createHash("md5").update(key).digest("hex");
    const pull = "u__org__flyte__domain____project____key__pull";
    const twin = `img-pull-${createHash("sha256").update("flyte:::pull").digest("hex").slice(0, 16)}`;
    const file = [
      `kind: Secret\nmetadata: {name: ${named}, labels: {app.flyte.org/managed: "true"}}\ndata: {${key}: dg==}`,
      `kind: Secret\nmetadata: {name: other}\ndata: {${key}: dg==}`,
      `kind: Secret\nmetadata: {name: ${createHash("md5").update(pull).digest("hex")}}\ndata: {${pull}: e30=}`,
      `kind: Secret\ntype: kubernetes.io/dockerconfigjson\nmetadata: {name: ${twin}}\ndata: {.dockerconfigjson: e30=}`,
    ].join("\n---\n");
    const entries = kubernetesFormat.parse(file);
    expect(reveal(entries)).toEqual([
      ["api__key", "generic", "v"],
      [key, "generic", "v"],
      ["pull", "image_pull", "{}"],
    ]);
    expect(entries.map(({ scope }) => scope)).toEqual([
      { org: "flyte", domain: "dev", project: "shop" },
      undefined,
      { org: "flyte", domain: "", project: "" },
    ]);
  });

  it.each([
    ["broken YAML", `a: "${CANARY}`, "the file can't be read as YAML: MISSING_CHAR at line 1"],
    ["another kind", `kind: ${CANARY}`, "expected manifests of kind Secret only"],
    ["a scalar", CANARY, "expected manifests of kind Secret only"],
    ["bad base64", `kind: Secret\ndata: {a: ${CANARY}}`, "a is not base64"],
    ["a number", "kind: Secret\nstringData: {a: 1}", "a has no value: expected a string"],
    [
      "half a character",
      'kind: Secret\nstringData: {a: "\\ud800"}',
      "the value of a is no well-formed Unicode; write its bytes in base64",
    ],
    [
      "one name in two documents",
      "kind: Secret\ndata: {a: ''}\n---\nkind: Secret\ndata: {a: ''}",
      "a stands twice in the file",
    ],
    [
      "an image-pull secret without its key",
      "kind: Secret\ntype: kubernetes.io/dockerconfigjson\nmetadata: {name: x}",
      "a Secret of type kubernetes.io/dockerconfigjson needs metadata.name and the key .dockerconfigjson",
    ],
  ])("kubernetes refuses %s", (_, file, message) => {
    expect(() => kubernetesFormat.parse(file)).toThrow(new SecretsError("invalid_argument", message));
  });

  it("image-pull secrets survive json and kubernetes, and env refuses them", () => {
    const entries: SecretEntry[] = [
      { name: "pull", type: "image_pull", value: SecretValue.fromText('{"auths":{}}') },
      { name: "k", type: "generic", value: SecretValue.fromText("v") },
    ];
    expect(reveal(jsonFormat.parse(jsonFormat.print(entries)))).toEqual(reveal(entries));
    expect(new Map(pairs(kubernetesFormat, entries))).toEqual(new Map(pairs(jsonFormat, entries)));
    expect(() => dotenvFormat.print(entries)).toThrow(
      new SecretsError("invalid_argument", "pull is an image-pull secret, which .env cannot say; use --format json"),
    );
  });

  it("names without values are written so that reading them sets nothing", () => {
    const entries: SecretEntry[] = [{ name: "K", type: "generic" }];
    expect(dotenvFormat.parse(dotenvFormat.print(entries))).toEqual([]);
    expect(() => jsonFormat.parse(jsonFormat.print(entries))).toThrow("K has no value");
    expect(() => kubernetesFormat.parse(kubernetesFormat.print(entries))).toThrow("K has no value");
  });

  it("the example in docs/import-export.md is read", () => {
    const page = readFileSync(join(import.meta.dirname, "../../../../docs/import-export.md"), "utf8");
    const example = /```json\n(.*?)```/s.exec(page)?.[1] ?? "";
    expect(reveal(jsonFormat.parse(example))).toEqual([
      ["api-key", "generic", "a text"],
      ["certificate", "generic", "\u0000\u0001\u0002"],
      ["registry", "image_pull", '{"auths":{}}'],
    ]);
  });

  it("a format is found by its name or by the file's", () => {
    const named = (name: string | undefined, file?: string) => formatFor(name, file)?.name;
    expect([
      named("json", "x.env"),
      named(undefined, ".env"),
      named(undefined, "a/.env.local"),
      named(undefined, "prod.env"),
    ]).toEqual(["json", "env", "env", "env"]);
    expect([
      named(undefined, "s.yml"),
      named(undefined, "s.yaml"),
      named(undefined, "s.json"),
      named(undefined, "s.txt"),
    ]).toEqual(["kubernetes", "kubernetes", "json", undefined]);
  });
});

function write(value: string, reader?: DotenvReader): string {
  const entries: SecretEntry[] = [{ name: "K", type: "generic", value: SecretValue.fromText(value) }];
  const written = attempt(() => dotenvFormat.print(entries, reader && { reader }));
  return typeof written === "string" ? written : written.message;
}

function attempt(run: () => string): string | SecretsError {
  try {
    return run();
  } catch (error) {
    if (error instanceof SecretsError) return error;
    throw error;
  }
}

function pairs(format: SecretFormat, entries: readonly SecretEntry[]): [string, unknown][] {
  return reveal(format.parse(format.print(entries))).map(([name, ...rest]) => [name, rest]);
}

/** Name, type and bytes, in a form that `toEqual` compares. */
function reveal(entries: readonly SecretEntry[]): [string, string, string][] {
  return entries.map(({ name, type, value }) => [
    name,
    type,
    Buffer.from(value?.revealBytes() ?? []).toString("latin1"),
  ]);
}
