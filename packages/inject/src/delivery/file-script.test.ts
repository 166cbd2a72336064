import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretsError, SecretValue } from "@flyte-secrets/core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SECRETS_DIRECTORY } from "../managers/injector.ts";
import { decodeFiles, encodeFiles, FILES_SCRIPT } from "./file-script.ts";

const BUSYBOX = ["/bin/busybox", "/usr/bin/busybox"].find((path) => existsSync(path));
if (!BUSYBOX) {
  const message = "no busybox (Debian: busybox-static): the script of Embedded's init container is not tested";
  if (process.env.CI === "true") throw new Error(message);
  console.warn(message);
}

/** Length and hash: comparing large lists byte by byte takes long. */
function digests(files: ReadonlyMap<string, Uint8Array>): Map<string, string> {
  const digest = (bytes: Uint8Array) => `${bytes.length} ${createHash("sha256").update(bytes).digest("hex")}`;
  return new Map([...files].map(([key, bytes]) => [key, digest(bytes)]));
}

describe("the variables of the init container", () => {
  it("have a line for each file, in order", () => {
    const files = new Map([
      ["password", SecretValue.fromText("hunter2")],
      ["empty", SecretValue.fromText("")],
    ]);
    expect(encodeFiles(files)).toEqual([{ name: "SECRETS", value: "password=aHVudGVyMg==\nempty=\n" }]);
  });

  it("go on in further lines and variables where one would be longer than Linux takes", () => {
    const bytes = Buffer.alloc((130_000 / 4) * 3 + 3, 7);
    const data = bytes.toString("base64");
    const files = new Map([
      ["big", SecretValue.fromBytes(bytes)],
      ["next", SecretValue.fromText("n")],
    ]);
    expect(encodeFiles(files)).toEqual([
      {
        name: "SECRETS",
        value: `big=${data.slice(0, 65_000)}\nbig+${data.slice(65_000, 130_000)}\nbig+BwcH\nnext=bg==\n`,
      },
    ]);
    expect(encodeFiles(new Map([...files, ["b", SecretValue.fromBytes(bytes)]]))).toEqual([
      {
        name: "SECRETS",
        value: `big=${data.slice(0, 65_000)}\nbig+${data.slice(65_000, 130_000)}\nbig+BwcH\nnext=bg==\n+\n`,
      },
      { name: "SECRETS_1", value: `b=${data.slice(0, 65_000)}\nb+${data.slice(65_000, 130_000)}\nb+BwcH\n` },
    ]);
  });

  it("are refused when a pod can't carry them, with both sizes and what to do", () => {
    expect(() => encodeFiles(new Map([["big", SecretValue.fromBytes(new Uint8Array(1_100_000))]]))).toThrow(
      "the files of this pod take 1466783 characters in base64, over the limit of 1450000 for delivery Inline: use delivery SecretRef",
    );
  });
});

describe("what is read back of the variables", () => {
  const name = fc.stringMatching(/^[-._a-zA-Z0-9]{1,20}$/);
  // Around the lengths at which a line or a variable ends.
  const size = fc.oneof(fc.nat(100), fc.constantFrom(48_749, 48_750, 48_751, 97_500, 98_249, 98_250, 98_251, 150_000));

  it("is what was written, for files of any names, sizes and number", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(name, { maxLength: 6 }),
        fc.array(size, { minLength: 6, maxLength: 6 }),
        (names, sizes) => {
          const files = new Map(names.map((one, at) => [one, randomBytes(sizes[at] ?? 0)]));
          const values = new Map([...files].map(([one, bytes]) => [one, SecretValue.fromBytes(bytes)]));
          const read = [...decodeFiles(encodeFiles(values))].map(([one, value]) => [one, value.revealBytes()] as const);
          expect([...digests(new Map(read))]).toEqual([...digests(files)]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("is nothing where there is no variable, and the last of two of one name", () => {
    expect(decodeFiles([{ name: "OTHER", value: "a=YQ==\n" }])).toEqual(new Map());
    const decoded = decodeFiles([
      { name: "SECRETS", value: "/etc/flyte/secrets/a" },
      { name: "SECRETS", value: "a=YQ==\n" },
    ]);
    expect([...decoded].map(([one, value]) => [one, value.revealText()])).toEqual([["a", "a"]]);
  });

  const canary = "canary4f1c";
  it.each([
    ["a line without a name", canary, "has a line that does not begin with a file's name and = or +"],
    ["a path", `../${canary}=YQ==`, "has a line that does not begin with a file's name and = or +"],
    ["a part of nothing", "a+YQ==", 'goes on with the file "a", which nothing began'],
    ["a variable that is missing", "a=YQ==\n+", "says that there is SECRETS_1, which is missing"],
  ])("is refused with %s, without showing a value", (_, value, problem) => {
    const message = `the variable SECRETS of the init container that writes files ${problem}`;
    expect(() => decodeFiles([{ name: "SECRETS", value }])).toThrow(new SecretsError("invalid_argument", message));
  });

  it("is refused where it is no base64", () => {
    const message = 'the content of the file "a" is not base64';
    for (const content of [canary, "YQ=", "YR==", "YQ==YQ=="]) {
      expect(() => decodeFiles([{ name: "SECRETS", value: `a=${content}\n` }])).toThrow(
        new SecretsError("invalid_argument", message),
      );
    }
  });
});

it.each(["db+user", "a=b", "a/b", "a\nb", "$(X)", "a b", "é", ""])("no file is called %j in the variables", (key) => {
  expect(() => encodeFiles(new Map([[key, SecretValue.fromText("v")]]))).toThrow(
    /^delivery Inline can write no file ".*", only names of letters, digits, "-", "_" and ".": ask for a variable, or use delivery SecretRef$/,
  );
});

describe.skipIf(!BUSYBOX)("the script of the init container, under busybox alone", () => {
  let home: string;
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), "flyte-secrets-busybox-"));
    mkdirSync(join(home, "bin"));
    for (const applet of execFileSync(BUSYBOX ?? "", ["--list"], { encoding: "utf8" })
      .trim()
      .split("\n")) {
      symlinkSync(BUSYBOX ?? "", join(home, "bin", applet));
    }
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  function unpack(files: ReadonlyMap<string, Uint8Array>): Map<string, string> {
    const directory = mkdtempSync(join(home, "secrets-"));
    const values = new Map([...files].map(([key, bytes]) => [key, SecretValue.fromBytes(bytes)]));
    const variables = encodeFiles(values).map(({ name, value = "" }) => [name, value]);
    const output = execFileSync(
      join(home, "bin", "sh"),
      ["-c", FILES_SCRIPT.replaceAll(SECRETS_DIRECTORY, directory)],
      {
        env: { PATH: join(home, "bin"), ...Object.fromEntries(variables) },
        encoding: "utf8",
      },
    );
    expect(output).toBe("");
    return digests(new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))])));
  }

  const contents: [string, Uint8Array][] = [
    ["text", Buffer.from("hunter2")],
    ["an empty value", Buffer.from("")],
    ["empty lines", Buffer.from("\n\n\n")],
    ["a line break at the end", Buffer.from("a\n")],
    ["spaces, quotes and what a shell expands", Buffer.from("  $(touch x) `y` \"z\" '$HOME' * \\n \\")],
    ["every byte", Uint8Array.from({ length: 256 }, (_, byte) => byte)],
    ["NUL bytes", new Uint8Array(3)],
    ["random bytes", randomBytes(10_000)],
    ["1 MiB", randomBytes(1 << 20)],
  ];
  it.each(contents)("writes %s byte for byte", (_, content) => {
    const files = new Map([["key", Uint8Array.from(content)]]);
    expect(unpack(files)).toEqual(digests(files));
  });

  it("writes 40 files whose names have every character that a key may have", () => {
    const name = "-._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    const files = new Map(
      Array.from({ length: 40 }, (_, index) => {
        const key = name.slice(index) + name.slice(0, index);
        return [key, Uint8Array.from(randomBytes(index))] as const;
      }),
    );
    expect(unpack(files)).toEqual(digests(files));
  });

  it("says nothing that the kubelet would replace: $$ or $(NAME)", () => {
    expect(FILES_SCRIPT).not.toMatch(/\$\$|\$\([A-Za-z_]/);
  });

  it("writes files whose lines are cut anywhere between two variables", () => {
    for (let shift = 0; shift < 8; shift++) {
      const files = new Map([
        ["a".repeat(shift + 1), Uint8Array.from(randomBytes(98_240))],
        ["next", Uint8Array.from(randomBytes(98_250))],
      ]);
      expect(unpack(files)).toEqual(digests(files));
    }
  });

  it("fails when a file can't be written", () => {
    const script = FILES_SCRIPT.replaceAll(SECRETS_DIRECTORY, join(home, "nowhere"));
    const env = { PATH: join(home, "bin"), SECRETS: "a=Yg==\nb=Yg==\n" };
    expect(() => execFileSync(join(home, "bin", "sh"), ["-c", script], { env, stdio: "pipe" })).toThrow("nowhere/a");
  });
});
