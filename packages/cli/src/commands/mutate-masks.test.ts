import { SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { describe, expect, it } from "vitest";
import { ask, taskPod, writeManifest } from "../testing/pod-manifests.ts";
import { useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();
const INLINE = ["--webhook.embeddedSecretManagerConfig.delivery", "Inline"];
const OLD = "canary-old-51b7";
const NEW = "canary-new-8c02";
const FORMATS = ["diff", "yaml", "json", "patch"] as const;

/** No value, in clear or in base64. */
const CLEAR = new RegExp([OLD, NEW].flatMap((text) => [text, Buffer.from(text).toString("base64")]).join("|"));

const requests = [
  ask("a"),
  ask("b", { mountRequirement: 2 }),
  ask("c", { envVar: "MY_PASSWORD" }),
  ask("password", { group: "db" }),
];

/** The pod as kubectl gives it once it was admitted with delivery Inline. */
async function admitted(pod: object = taskPod(requests), ...flags: string[]): Promise<Record<string, unknown>> {
  writeManifest(at.home, "pod.json", pod);
  const args = ["mutate", "-f", "pod.json", "-o", "json", "--show-values", ...INLINE, ...flags];
  return JSON.parse((await at.call(...args)).stdout);
}

async function keepOld(): Promise<void> {
  await at.keep({ "dev/shop/a": OLD, "dev/shop/b": OLD, "dev/shop/c": OLD });
  at.env.FLYTE_SECRET_DB_PASSWORD = OLD;
}

async function replace(name: string): Promise<void> {
  const store = await openEmbeddedStore({ directory: at.store });
  const id = { org: "flyte", domain: "dev", project: "shop", name };
  await store.update(id, SecretValue.fromText(NEW));
  await store.close();
}

describe("what mutate shows of a pod that has values already", () => {
  it("is nothing when the webhook would change nothing, and the pod with masks where it is printed", async () => {
    await keepOld();
    writeManifest(at.home, "running.json", await admitted());
    for (const format of FORMATS) {
      const { exitCode, stdout, stderr } = await at.call("mutate", "-f", "running.json", "-o", format, ...INLINE);
      expect([exitCode, stderr]).toEqual([
        0,
        "note: Pod shop-dev/train is unchanged: it asks for no secret, or has all that it asks for\n",
      ]);
      expect(stdout).not.toMatch(CLEAR);
      if (format === "diff" || format === "patch") expect(stdout).toBe("");
    }
  });

  it("has the same mask on both sides of a value that stays, and two for one that changes", async () => {
    await keepOld();
    writeManifest(at.home, "running.json", await admitted());
    await replace("a");
    await replace("b");
    const diff = await at.call("mutate", "-f", "running.json", ...INLINE);
    const changed = diff.stdout.split("\n").filter((line) => /^[-+] .*\*/.test(line));
    expect(changed.map((line) => `${line[0]} ${line.slice(1).trim()}`)).toEqual([
      '- value: "******** (before)"',
      '+ value: "******** (after)"',
      "- b=******** (before)",
      "+ b=******** (after)",
    ]);
    for (const format of FORMATS) {
      const shown = await at.call("mutate", "-f", "running.json", "-o", format, ...INLINE);
      expect([shown.exitCode, shown.stdout.match(CLEAR)]).toEqual([0, null]);
    }
    const inClear = await at.call("mutate", "-f", "running.json", "--show-values", ...INLINE);
    expect(inClear.stdout).toContain(NEW);
  });

  it.each([
    ["with another prefix of variables", ["--webhook.secretEnvVarPrefix", "OTHER_"]],
    ["with names for POSIX shells", ["--webhook.secretEnvVarNaming", "posix"]],
    [
      "with an init container of another name",
      ["--webhook.embeddedSecretManagerConfig.fileMountInitContainer.containerName", "x"],
    ],
  ])("masks what was written %s than now", async (_, flags) => {
    await keepOld();
    writeManifest(at.home, "running.json", await admitted(taskPod(requests), ...flags));
    await replace("a");
    const inline = await at.call("mutate", "-f", "running.json", ...INLINE);
    expect([inline.exitCode, inline.stdout.match(CLEAR)]).toEqual([0, null]);
    const other = await at.call("mutate", "-f", "running.json");
    expect(`${other.stdout}${other.stderr}`).not.toMatch(CLEAR);
  });

  it("masks what kubectl has noted, templates, and pods that the webhook isn't asked about", async () => {
    await keepOld();
    const running = await admitted();
    const metadata = Object(running.metadata);
    const noted = {
      ...running,
      metadata: {
        ...metadata,
        annotations: {
          ...metadata.annotations,
          "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify(running),
        },
      },
    };
    const unlabelled = { ...running, metadata: { ...metadata, labels: {} } };
    const job = {
      kind: "Job",
      apiVersion: "batch/v1",
      metadata: { name: "j", namespace: metadata.namespace },
      spec: { template: running },
    };
    writeManifest(at.home, "list.json", { kind: "List", items: [noted, unlabelled, job] });
    for (const format of ["yaml", "json"]) {
      const shown = await at.call("mutate", "-f", "list.json", "-o", format, ...INLINE);
      expect([shown.exitCode, shown.stdout.match(CLEAR)]).toEqual([0, null]);
      expect(shown.stdout).toContain("********");
    }
  });

  it("masks the data of Secrets that stand beside pods", async () => {
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, stringData: { b: OLD } };
    const data = { a: Buffer.from(OLD).toString("base64") };
    writeManifest(at.home, "secret.json", { ...secret, data });
    const { stdout } = await at.call("mutate", "-f", "secret.json", "-o", "json");
    expect(JSON.parse(stdout)).toEqual({ ...secret, data: { a: "********" }, stringData: { b: "********" } });
    const shown = await at.call("mutate", "-f", "secret.json", "-o", "json", "--show-values");
    expect(JSON.parse(shown.stdout)).toEqual({ ...secret, data });
  });

  it("leaves alone what is no value", async () => {
    await at.keep({ "dev/shop/b": OLD });
    const { spec, ...pod } = taskPod([ask("b", { mountRequirement: 2, envVar: "B_PATH" })]);
    const env = [
      { name: "DEBUG", value: "yes" },
      { name: "EMPTY", value: "" },
    ];
    const [main] = spec.containers;
    const running = await admitted({ ...pod, spec: { containers: [{ ...main, env }] } });
    writeManifest(at.home, "running.json", running);
    const { stdout } = await at.call("mutate", "-f", "running.json", "-o", "json", ...INLINE);
    expect(JSON.parse(stdout).spec.containers).toEqual(Object(running.spec).containers);
    expect(stdout).toContain("/etc/flyte/secrets/b");
    expect(stdout).toContain('"b=********\\n"');
  });
});
