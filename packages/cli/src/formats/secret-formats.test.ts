import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SecretsError, SecretValue } from "@flyte-secrets/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dotenvFormat } from "./dotenv-format.ts";
import { jsonFormat } from "./json-format.ts";
import { kubernetesFormat } from "./kubernetes-format.ts";
import type { SecretEntry, SecretFormat } from "./secret-entry.ts";
import { formatFor } from "./secret-formats.ts";

const CANARY = "canary-5d0f";
const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/);
const bytes = fc.uint8Array({ maxLength: 64 }).map((value) => SecretValue.fromBytes(value));
const text = fc.string({ unit: "binary", maxLength: 40 }).map((value) => SecretValue.fromText(value));

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

  it("env gives back every value that it does not refuse to write", () => {
    fc.assert(
      fc.property(name, text, (name, value) => {
        const entries: SecretEntry[] = [{ name, type: "generic", value }];
        const written = attempt(() => dotenvFormat.print(entries));
        if (written instanceof SecretsError) expect(written.message).toBe(unwritable(name));
        else expect(reveal(dotenvFormat.parse(written))).toEqual(reveal(entries));
      }),
    );
  });

  it("env writes quotes, line feeds, backslashes and comment signs, and refuses what it has no way to write", () => {
    const write = (value: string) =>
      attempt(() => dotenvFormat.print([{ name: "K", type: "generic", value: SecretValue.fromText(value) }]));
    expect(write("plain")).toBe("K='plain'\n");
    expect(write("it's")).toBe("K=`it's`\n");
    expect(write("a\n# b\\n")).toBe("K='a\n# b\\n'\n");
    expect(write("'`")).toBe('K="\'`"\n');
    expect(write("'`\"")).toEqual(new SecretsError("invalid_argument", unwritable("K")));
    expect(write("cr\r\n")).toEqual(new SecretsError("invalid_argument", unwritable("K")));
  });

  it("env reads comments, export, quotes over several lines and empty values", () => {
    const file = `# comment\n\nexport A=1 # one\nB="two\nlines"\nC='x # y'\r\nD=\n`;
    expect(reveal(dotenvFormat.parse(file))).toEqual([
      ["A", "generic", "1"],
      ["B", "generic", "two\nlines"],
      ["C", "generic", "x # y"],
      ["D", "generic", ""],
    ]);
  });

  it.each([
    ["a line that is no assignment", `A=1\n${CANARY}\n`, "line 2: expected NAME=value"],
    ["a quote without end", `A="${CANARY}\nB=1\n`, 'line 1: the " of A has no end'],
    ["a name given twice", `A=${CANARY}\nA=2\n`, "A stands twice in the file"],
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
    ["no object", `["${CANARY}"]`, 'expected a JSON object of names and values, such as {"api-key": "..."}'],
    ["a name without value", `{"a":null}`, "a has no value: expected a string"],
    ["a number", `{"a":1}`, "a has no value: expected a string"],
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
    ["broken YAML", `a: "${CANARY}`, "the file is not YAML: MISSING_CHAR at line 1"],
    ["another kind", `kind: ${CANARY}`, "expected manifests of kind Secret only"],
    ["a scalar", CANARY, "expected manifests of kind Secret only"],
    ["bad base64", `kind: Secret\ndata: {a: ${CANARY}}`, "a is not base64"],
    ["a number", "kind: Secret\nstringData: {a: 1}", "a has no value: expected a string"],
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

function unwritable(name: string): string {
  return `the value of ${name} cannot be written in .env; use --format json`;
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
