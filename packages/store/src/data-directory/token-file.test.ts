import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import { type Logger, pino } from "pino";
import { afterEach, beforeEach, expect, it, test } from "vitest";
import { ensureTokenFile, followTokenFile, rotateTokenFile } from "./token-file.ts";

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "flyte-secrets-token-"));
  file = join(directory, "token");
});
afterEach(() => rmSync(directory, { recursive: true }));

function refusal(path: string): unknown {
  try {
    return { returned: ensureTokenFile(path).length };
  } catch (error) {
    return error instanceof SecretsError ? `${error.code}: ${error.message}` : error;
  }
}

it("makes a token of 32 random bytes on first use, for this user alone, and finds it again", () => {
  const token = ensureTokenFile(file);
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(readFileSync(file, "utf8")).toBe(`${token}\n`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(directory)).toEqual(["token"]);
  expect(ensureTokenFile(file)).toBe(token);
  expect(ensureTokenFile(join(directory, "other"))).not.toBe(token);
});

it("takes a token that somebody wrote, with or without a line end", () => {
  writeFileSync(file, "chosen-by-somebody-0815", { mode: 0o600 });
  expect(ensureTokenFile(file)).toBe("chosen-by-somebody-0815");
  writeFileSync(file, "chosen-by-somebody-0815\r\n");
  expect(ensureTokenFile(file)).toBe("chosen-by-somebody-0815");
});

it("gives every one of several processes that start at once the same token", () => {
  const module = JSON.stringify(join(import.meta.dirname, "../../dist/data-directory/token-file.js"));
  const script = `import { ensureTokenFile, followTokenFile, rotateTokenFile } from ${module}; process.stdout.write(ensureTokenFile(process.argv[1]) + " ");`;
  const command = `for i in 1 2 3 4; do "$0" --input-type=module -e "$1" "$2" & done; wait`;
  const { stdout, stderr } = spawnSync("sh", ["-c", command, process.execPath, script, file], { encoding: "utf8" });
  const tokens = stdout.trim().split(" ");
  expect({ stderr, count: tokens.length, distinct: new Set(tokens) }).toEqual({
    stderr: "",
    count: 4,
    distinct: new Set([readFileSync(file, "utf8").trim()]),
  });
});

test.each([
  ["empty", ""],
  ["short", "abc\n"],
  ["of 21 characters", "0123456789abcdef01234"],
  ["of one letter", "a".repeat(64)],
  ["of a short word", "changeme".repeat(8)],
  ["of two lines", "0123456789abcdef012345\n0123456789abcdef012345\n"],
  ["with a space", "0123456789abcdef 0123456789abcdef"],
])("refuses a token file that is %s, and leaves it as it is", (_, text) => {
  writeFileSync(file, text, { mode: 0o600 });
  expect(refusal(file)).toBe(
    `invalid_config: ${file} (secret.auth.tokenFile) holds no token that is hard to guess: one line of 22 or more letters, digits and -._~+/, at least 8 of them different expected. Remove it to have one made, or write the output of: openssl rand -hex 32`,
  );
  expect(readFileSync(file, "utf8")).toBe(text);
});

it("refuses a file that others may read, with the command that mends it", () => {
  writeFileSync(file, "0123456789abcdef");
  chmodSync(file, 0o644);
  expect(refusal(file)).toBe(`unsafe_permissions: ${file} is open to other users (mode 0644). Run: chmod 600 ${file}`);
});

it("refuses a symbolic link", () => {
  symlinkSync("/etc/hostname", file);
  expect(refusal(file)).toBe(`unsafe_permissions: ${file} is a symbolic link. Put the file itself there.`);
});

it("refuses a path whose directory is missing", () => {
  const lost = join(directory, "none", "token");
  expect(refusal(lost)).toBe(
    `invalid_config: ${lost} (secret.auth.tokenFile) lies in no directory: make that first, or leave the key out.`,
  );
});

// Only root can make a file of root's.
test.runIf(process.geteuid?.() === 0)(
  "takes a token from a Secret as the kubelet mounts it, and from nothing like it",
  () => {
    const mounted = join(directory, "..data");
    writeFileSync(mounted, "0123456789abcdef012345");
    chmodSync(mounted, 0o440);
    symlinkSync(mounted, file);
    expect(ensureTokenFile(file)).toBe("0123456789abcdef012345");
    chmodSync(mounted, 0o444);
    expect(refusal(file)).toBe(`unsafe_permissions: ${file} is a symbolic link. Put the file itself there.`);
  },
);

const ignored: Logger = pino({ enabled: false });

it("follows a file: a new token counts with the next call, and while the file is no good the one before", () => {
  const token = followTokenFile(file, ignored);
  const first = token();
  expect(readFileSync(file, "utf8")).toBe(`${first}\n`);
  rotateTokenFile(file);
  const second = token();
  expect(second).not.toBe(first);
  expect(readFileSync(file, "utf8")).toBe(`${second}\n`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  writeFileSync(file, "short");
  expect(token()).toBe(second);
  rmSync(file);
  expect(token()).toBe(second);
  expect(readdirSync(directory)).toEqual([]);
  writeFileSync(file, `${first}\n`, { mode: 0o600 });
  expect(token()).toBe(first);
});

it("creates a missing file, and refuses one that others may read", () => {
  rotateTokenFile(file);
  expect(ensureTokenFile(file)).toMatch(/^[\w-]{43}$/);
  chmodSync(file, 0o644);
  expect(() => rotateTokenFile(file)).toThrow(`${file} is open to other users (mode 0644). Run: chmod 600 ${file}`);
});

it("has one whole token after several processes have put a new one there at once", () => {
  const token = followTokenFile(file, ignored);
  const before = token();
  const module = JSON.stringify(join(import.meta.dirname, "../../dist/data-directory/token-file.js"));
  const script = `import { rotateTokenFile } from ${module}; for (let i = 0; i < 20; i++) rotateTokenFile(process.argv[1]);`;
  const command = `for i in 1 2 3 4; do "$0" --input-type=module -e "$1" "$2" & done; wait`;
  const { stderr } = spawnSync("sh", ["-c", command, process.execPath, script, file], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(token()).not.toBe(before);
  expect([readFileSync(file, "utf8"), readdirSync(directory)]).toEqual([`${token()}\n`, ["token"]]);
});
