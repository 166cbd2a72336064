import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, it, test } from "vitest";
import { listSettings } from "../list-settings.ts";
import { refusal, useConfigDirectory } from "../testing/config-directory.ts";
import { FOUND_FILE_SETTINGS } from "./found-file.ts";

const { path, write, load } = useConfigDirectory();
const FOUND = ["config.yaml"];

/** Port and warnings of the configuration as it is found in the directory. */
function find() {
  const warnings: string[] = [];
  const { secret } = load({ defaultFiles: FOUND, warn: (message) => void warnings.push(message) });
  return { port: secret.server.port, warnings: warnings.join().replaceAll(path(), ".") };
}

const counts = { port: 1, warnings: "" };
const leftOut = (why: string) => ({
  port: 8093,
  warnings: `./config.yaml is left out: ${why}. To use it all the same, name it: --config config.yaml`,
});

it("is read when it is this user's, and stays when it can't be replaced by others", () => {
  write("config.yaml", "secret: { server: { port: 1 } }");
  expect(find()).toEqual(counts);
  chmodSync(path(), 0o1777);
  expect(find()).toEqual(counts);
});

it("doesn't count when others may write it or replace it", () => {
  write("config.yaml", "secret: { server: { port: 1 } }");
  chmodSync(join(path(), "config.yaml"), 0o666);
  expect(find()).toEqual(leftOut("other users may write it (mode 0666)"));
  chmodSync(join(path(), "config.yaml"), 0o600);
  chmodSync(path(), 0o777);
  expect(find()).toEqual(leftOut("its directory isn't this user's: other users may write it (mode 0777)"));
});

// Only root can give a file away.
test.runIf(process.geteuid?.() === 0)("doesn't count when it, its link or its directory is another user's", () => {
  write("config.yaml", "secret: { server: { port: 1 } }");
  chownSync(join(path(), "config.yaml"), 65534, 65534);
  expect(find()).toEqual(leftOut("it belongs to user 65534"));
  chownSync(join(path(), "config.yaml"), 0, 0);
  chownSync(path(), 65534, 65534);
  expect(find()).toEqual(leftOut("its directory isn't this user's: it belongs to user 65534"));
  chownSync(path(), 0, 0);
  mkdirSync(join(path(), "theirs"));
  write("theirs/config.yaml", "secret: { server: { port: 1 } }");
  chownSync(join(path(), "theirs/config.yaml"), 65534, 65534);
  rmSync(join(path(), "config.yaml"));
  symlinkSync("theirs/config.yaml", join(path(), "config.yaml"));
  expect(find()).toEqual(leftOut("it belongs to user 65534"));
});

it("is no configuration when it is a directory or a pipe", () => {
  mkdirSync(join(path(), "config.yaml"));
  expect(find()).toEqual({ port: 8093, warnings: "" });
  rmSync(join(path(), "config.yaml"), { recursive: true });
  execFileSync("mkfifo", [join(path(), "config.yaml")]);
  expect(find()).toEqual({ port: 8093, warnings: "" });
});

test.each([
  ["secret: { kubernetes: { kubeconfig: ./kubeconfig } }", "secret.kubernetes.kubeconfig"],
  ["secret: { auth: { mode: none } }", "secret.auth.mode"],
  ["secret: { auth: { allowUnauthenticatedNetwork: true } }", "secret.auth.allowUnauthenticatedNetwork"],
  ["secret: { server: { host: 0.0.0.0 } }", "secret.server.host"],
  ["secret: { store: { path: ./store } }", "secret.store.path"],
  ["flyte-pod-webhook: { scopeBinding: { mode: 'off' } }", "webhook.scopeBinding.mode"],
  ["otel: { otlphttp: { endpoint: https://evil.example } }", "otel.otlphttp.endpoint"],
])("may not say %s, unless it is named", (text, setting) => {
  write("config.yaml", text);
  expect(refusal(() => load({ defaultFiles: FOUND }))).toBe(
    `invalid_config: config.yaml:1: ${setting} is not for a file to give that was only found in the current directory: it says where ` +
      "something goes or comes from, or who may do what. To consent, name the file: --config config.yaml",
  );
  if (!setting.endsWith(".mode") || text.includes("auth")) load({ files: FOUND });
});

it("may give what says neither where something goes nor who may do what; a new setting is not among it until somebody decides so", () => {
  const known = listSettings().map((setting) => setting.path);
  const given = known.filter((name) =>
    FOUND_FILE_SETTINGS.some((allowed) => (allowed.endsWith(".") ? name.startsWith(allowed) : name === allowed)),
  );
  expect(given).toEqual([
    "secret.organization",
    "secret.server.port",
    "webhook.secretEnvVarPrefix",
    "webhook.secretEnvVarNaming",
    "webhook.listenPort",
    "webhook.webhookTimeout",
    "cache.type",
    "cache.inMemoryFixedSize.size",
    "cache.inMemoryFixedSize.defaultExpiration",
    "cache.inMemoryFixedSize.notFoundExpiration",
    "cache.inMemoryFixedSize.staleWhileDown",
    "cache.fetchTimeout",
    "cache.fetchesUnderWay",
    "logger.level",
    "logger.show-source",
    "logger.mute",
    "logger.formatter.type",
    "otel.sampler.parentSampler",
    "otel.sampler.traceIdRatio",
  ]);
});
