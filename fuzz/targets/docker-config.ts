import assert from "node:assert/strict";
import { PassThrough, Readable } from "node:stream";
import type { CliContext } from "@flyte-secrets/cli";
import { createOutput } from "@flyte-secrets/cli";
import { readDockerConfig } from "@flyte-secrets/cli/testing";
import { type FuzzTarget, unlessRefusedLater } from "../target.ts";

const HOST: CliContext = {
  env: { PATH: "/nonexistent" },
  stdin: Readable.from([]),
  stdout: createOutput(new PassThrough()),
  stderr: createOutput(new PassThrough()),
  home: "/nonexistent",
  cwd: "/nonexistent",
  nodeVersion: "24.0.0",
  interruption: () => new AbortController().signal,
  relaySignals: () => () => {},
};

/** Docker's `config.json`; PATH is empty, so that no helper runs. */
export const target: FuzzTarget = {
  seeds: [
    '{"auths":{"https://index.docker.io/v1/":{"auth":"dTpw"},"ghcr.io":{"username":"u","password":"p"}}}',
    '{"auths":{"r":{"auth":""}},"credHelpers":{},"credsStore":""}',
    '{"auths":{"r":{"identitytoken":"t"}}}',
  ],
  dictionary: ["auths", "auth", "identitytoken", "docker.io", "https://", "/v1/", "__proto__", "../x", "dTpw"],
  open: () => ({
    async run(bytes) {
      for (const registries of [undefined, ["docker.io"]]) {
        const options = { path: "-", ...(registries && { registries }) };
        const host = { ...HOST, stdin: Readable.from([Buffer.from(bytes)]) };
        const found = await unlessRefusedLater(["invalid_argument"], () => readDockerConfig(options, host));
        for (const { username, password } of found?.values() ?? []) {
          assert(typeof username === "string" && typeof password === "string");
        }
      }
    },
  }),
};
