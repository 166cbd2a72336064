import { SecretValue } from "@flyte-secrets/core";
import type { Pod } from "@flyte-secrets/inject";
import { describe, expect, test } from "vitest";
import { emulateKubelet, expandReferences } from "./emulate-kubelet.ts";

const DIRECTORY = "/dev/shm/private/0";
const SEEN_AT = "/seen";

const secrets = new Map([
  ["managed/api", SecretValue.fromText("s3cr$$et")],
  ["managed/cert", SecretValue.fromBytes(Uint8Array.of(0, 0xff))],
]);

function carry(pod: Pod) {
  return emulateKubelet(pod, {
    directory: DIRECTORY,
    seenAt: SEEN_AT,
    secretValue: (name, key) => secrets.get(`${name}/${key}`),
  });
}

function thrown(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("carrying out a pod", () => {
  test("gives variables in order, the last of a name winning, with literals expanded and values of Secrets as they are", () => {
    const { variables, files, expanded } = carry({
      spec: {
        containers: [
          {
            name: "task",
            env: [
              { name: "A", value: "first" },
              { name: "TOKEN", valueFrom: { secretKeyRef: { name: "managed", key: "api" } } },
              { name: "ABSENT", valueFrom: { secretKeyRef: { name: "managed", key: "nothing", optional: true } } },
              { name: "URL", value: "https://$(TOKEN)@host/$(LATER)$$(A)" },
              { name: "EMPTY" },
              { name: "LATER", value: "x" },
              { name: "A", value: "$(A) again" },
            ],
          },
          { name: "sidecar", env: [{ name: "OTHER", value: "x" }] },
        ],
      },
    });
    expect([...variables]).toEqual([
      ["A", "first again"],
      ["TOKEN", "s3cr$$et"],
      ["URL", "https://s3cr$$et@host/$(LATER)$(A)"],
      ["EMPTY", ""],
      ["LATER", "x"],
    ]);
    expect(files).toEqual([]);
    expect(expanded.map((value) => value.revealText())).toEqual(["https://s3cr$$et@host/$(LATER)$(A)", "first again"]);
  });

  test("puts Secret and projected volumes below the directory, and has variables name their paths where they are seen", () => {
    const { variables, files } = carry({
      spec: {
        containers: [
          {
            name: "task",
            env: [
              { name: "FLYTE_SECRETS_DEFAULT_DIR", value: "/etc/flyte/secrets" },
              { name: "CERT", value: "/etc/flyte/secrets/group/cert" },
              { name: "LOOKALIKE", value: "/etc/flyte/secrets-of-others" },
            ],
            volumeMounts: [
              { name: "group", mountPath: "/etc/flyte/secrets/group", readOnly: true },
              { name: "all", mountPath: "/etc/flyte/secrets", readOnly: true },
              { name: "elsewhere", mountPath: "/data" },
            ],
          },
        ],
        volumes: [
          { name: "group", secret: { secretName: "managed", items: [{ key: "cert", path: "cert" }] } },
          {
            name: "all",
            projected: {
              sources: [
                { secret: { name: "managed", items: [{ key: "api", path: "api" }] } },
                { secret: { name: "gone", optional: true, items: [{ key: "x", path: "x" }] } },
              ],
            },
          },
          { name: "elsewhere", secret: { secretName: "managed", items: [{ key: "api", path: "api" }] } },
        ],
      },
    });
    expect(Object.fromEntries(variables)).toEqual({
      FLYTE_SECRETS_DEFAULT_DIR: SEEN_AT,
      CERT: `${SEEN_AT}/group/cert`,
      LOOKALIKE: "/etc/flyte/secrets-of-others",
    });
    expect(files.map(({ path, value }) => [path, value.revealBase64()])).toEqual([
      [`${DIRECTORY}/group/cert`, "AP8="],
      [`${DIRECTORY}/api`, Buffer.from("s3cr$$et").toString("base64")],
    ]);
  });

  test("does the work of Embedded's init container for files that stand in the pod", () => {
    const mount = { name: "embedded-secret-vol", mountPath: "/etc/flyte/secrets" };
    const { files } = carry({
      spec: {
        initContainers: [
          { name: "init-embedded-secret", env: [{ name: "SECRETS", value: "a=AAE=\nb=\n" }], volumeMounts: [mount] },
          { name: "of-the-user", env: [{ name: "SECRETS", value: "c=AAE=\n" }] },
        ],
        containers: [{ name: "task", volumeMounts: [mount] }],
        volumes: [{ name: "embedded-secret-vol", emptyDir: { medium: "Memory" } }],
      },
    });
    expect(files.map(({ path, value }) => [path, [...value.revealBytes()]])).toEqual([
      [`${DIRECTORY}/a`, [0, 1]],
      [`${DIRECTORY}/b`, []],
    ]);
  });

  test("refuses a reference that leads nowhere, a binary variable, one that no process can have, and a file outside", () => {
    const variable = (key: string): Pod => ({
      spec: {
        containers: [{ name: "task", env: [{ name: "V", valueFrom: { secretKeyRef: { name: "managed", key } } }] }],
      },
    });
    const outside: Pod = {
      spec: {
        containers: [{ name: "task", volumeMounts: [{ name: "v", mountPath: "/etc/flyte/secrets" }] }],
        volumes: [{ name: "v", secret: { secretName: "managed", items: [{ key: "api", path: "../api" }] } }],
      },
    };
    secrets.set("managed/big", SecretValue.fromText("x".repeat(131_070)));
    expect(
      [variable("nothing"), variable("cert"), variable("big"), outside].map((pod) => thrown(() => carry(pod))),
    ).toEqual([
      expect.objectContaining({
        code: "not_injected",
        message: "the pod refers to key nothing of Secret managed, which is not there",
      }),
      expect.objectContaining({
        code: "not_injected",
        message: "the value of variable V is no text; mount it as a file instead",
      }),
      expect.objectContaining({
        code: "not_injected",
        message: "variable V and its value have 131071 bytes, Linux takes 131070 at most; mount it as a file instead",
      }),
      expect.objectContaining({
        code: "invalid_argument",
        message: "the file ../api of volume v leaves /etc/flyte/secrets",
      }),
    ]);
  });
});

test.each([
  ["$(A)", "1"],
  ["$$(A)", "$(A)"],
  ["$$$(A)", "$1"],
  ["$(B)", "$(B)"],
  ["$(A", "$(A"],
  ["$A $ $", "$A $ $"],
  ["$()", "$()"],
])("expands %s to %s, as Kubernetes does", (text, expected) => {
  expect(expandReferences(text, new Map([["A", "1"]]))).toBe(expected);
});
