import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createLogger } from "@flyte-secrets/http";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { describe, expect, it } from "vitest";
import { openLog, rotatingLog, serverLogFile } from "./log-file.ts";

/** A directory with a data directory in it, both with files. */
function makePlace() {
  const place = createTemporaryDirectory();
  const data = join(place, "data");
  mkdirSync(join(data, "below"), { recursive: true });
  writeFileSync(join(data, "master.key"), "key");
  writeFileSync(join(place, "notes.txt"), "dear diary");
  return { place, data };
}

const refusal = (file: string, why: string) =>
  expect.objectContaining({
    code: "usage",
    message: `--log-file: ${file} can't be the log: ${why}. Nothing was written; choose another`,
  });

describe("a log", () => {
  it.each([
    "json",
    "text",
    "gcp",
  ] as const)("goes on in a log that a server has written as %s, and closes it to others", (type) => {
    const { place, data } = makePlace();
    const file = join(place, "own.log");
    for (let run = 0; run < 2; run++) {
      using destination = rotatingLog(file, { directory: data });
      createLogger({ level: "info", "show-source": false, mute: false, formatter: { type } }, destination).info(
        "one line",
      );
      chmodSync(file, 0o644);
    }
    expect(readFileSync(file, "utf8").match(/one line/g)).toHaveLength(2);
    openLog(file, data);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("is server.log in the data directory, whatever a crash has written there", () => {
    const { data } = makePlace();
    writeFileSync(serverLogFile(data), "FATAL ERROR: out of memory\n");
    openLog(serverLogFile(data), data);
  });

  it("fails as the store does when server.log can't be written", () => {
    const { data } = makePlace();
    mkdirSync(serverLogFile(data));
    expect(() => openLog(serverLogFile(data), data)).toThrow(expect.objectContaining({ code: "store_unavailable" }));
  });

  it.each<[string, string, string]>([
    ["the key", "data/master.key", "it is in the data directory, where only server.log is a log"],
    ["a new file in the data directory", "data/new.log", "it is in the data directory, where only server.log is a log"],
    ["one below it", "data/below/new.log", "it is in the data directory, where only server.log is a log"],
    ["one there by a link", "by-link/master.key", "it is in the data directory, where only server.log is a log"],
    ["a link to the key", "link", "it is a symbolic link"],
    ["another name of the key", "hard", "it has content that is not a log of this server"],
    ["a file of something else", "notes.txt", "it has content that is not a log of this server"],
    ["a directory", ".", "it is a directory"],
    ["a place that is not there", "nowhere/a.log", "its directory does not exist"],
    ["a place below a file", "notes.txt/a.log", "a part of the path is not a directory"],
    ["a pipe", "pipe", "it is not a regular file"],
  ])("is not %s", (_, name, why) => {
    const { place, data } = makePlace();
    const before = readFileSync(join(data, "master.key"), "utf8");
    symlinkSync(data, join(place, "by-link"));
    symlinkSync(join(data, "master.key"), join(place, "link"));
    linkSync(join(data, "master.key"), join(place, "hard"));
    execFileSync("mkfifo", [join(place, "pipe")]);
    const file = join(place, name);
    expect(() => openLog(file, data)).toThrow(refusal(file, why));
    expect([readFileSync(join(data, "master.key"), "utf8"), readFileSync(join(place, "notes.txt"), "utf8")]).toEqual([
      before,
      "dear diary",
    ]);
  });

  it("is not one that would overwrite something else when it is full", () => {
    const { place, data } = makePlace();
    writeFileSync(join(place, "a.log.1"), "dear diary");
    const why = "it has content that is not a log of this server";
    expect(() => openLog(join(place, "a.log"), data)).toThrow(refusal(join(place, "a.log.1"), why));
  });

  it("is not a device", () => {
    expect(() => openLog("/dev/null", "/nowhere")).toThrow(refusal("/dev/null", "it is not a regular file"));
  });
});
