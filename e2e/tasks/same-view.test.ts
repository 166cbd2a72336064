// A program under `exec` has what the task's pod would have: for tasks of Flyte's own SDKs, byte by byte.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Container, Pod } from "@flyte-secrets/inject";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type LocalHome, useLocalHome } from "../support/local-home.ts";
import { cacheDirectory } from "../support/python-environment.ts";
import { type PythonPeer, startPythonPeer } from "../support/python-peer.ts";
import { describeWith } from "../support/requirement.ts";
import type { ProgramResult } from "../support/run-program.ts";
import { mountNamespaces, runPod } from "./kubelet.ts";
import { FLYTE_ENDS, FLYTEKIT_ENDS } from "./python-sdks.ts";
import { MANAGED, openManager } from "./secret-managers.ts";
import { type Template, taskImage, toTaskPod } from "./task-pod.ts";

const VIEW = join(import.meta.dirname, "view.py");
const TASK = "embedded";

interface View {
  readonly variables: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
  readonly modes: readonly string[];
}

function viewIn({ exitCode, stdout, stderr }: ProgramResult): View {
  if (exitCode !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** Keeps on this machine what the managers of {@link openManager} have. */
async function keepAll(home: LocalHome): Promise<string> {
  for (const [name, content] of Object.entries(MANAGED)) {
    const file = join(home.path, name);
    writeFileSync(file, content);
    const scope = ["-p", "p", "-d", "development", "--local"];
    await home.run(["create", "secret", name, ...scope, "--from-file", file, "--keep-line-feed"]);
  }
  const files = join(home.path, "global");
  mkdirSync(join(files, "smtp"), { recursive: true });
  writeFileSync(join(files, "smtp/user"), "smtp-user\n");
  const config = join(home.path, "flyte.yaml");
  writeFileSync(config, JSON.stringify({ secrets: { "secrets-prefix": files } }));
  return config;
}

const nameOf = ({ name }: { readonly name: string }) => name;
const addedTo = (before: Container, after: Container) => {
  const had = new Set(before.env?.map(nameOf));
  return (after.env ?? []).map(nameOf).filter((name) => !had.has(name));
};

const ENDS = [
  ...FLYTE_ENDS.map((sdk) => ({ sdk, module: "flyte_tasks" })),
  ...FLYTEKIT_ENDS.map((sdk) => ({ sdk, module: "flytekit_tasks" })),
];

for (const { sdk, module } of ENDS) {
  describeWith(mountNamespaces.missing ? mountNamespaces : sdk.require(), `${sdk.title}: a task's view`, () => {
    const home = useLocalHome();
    let directory: string;
    let peer: PythonPeer;
    beforeAll(() => {
      directory = mkdtempSync(join(cacheDirectory, "views-"));
      peer = startPythonPeer(sdk.python, sdk.requestsScript);
    });
    afterAll(async () => {
      await peer.close();
      rmSync(directory, { recursive: true, force: true });
    });

    /** What the webhook makes of the task's pod. */
    async function mutate(): Promise<{ names: string[]; run(args: string[]): Promise<ProgramResult> }> {
      const template = (await peer.ask({ ask: "template", task: `${module}.${TASK}` })) as Template;
      const { mutator, secrets } = openManager(TASK, "SecretRef");
      const before = toTaskPod(template, directory);
      const mutation = await mutator.mutate(before);
      if (!mutation.changed) throw new Error("nothing was injected");
      const pod: Pod = JSON.parse(JSON.stringify(mutation.pod));
      const [container, ...others] = pod.spec.containers;
      const [given] = before.spec.containers;
      if (container === undefined || given === undefined || others.length > 0) throw new Error("one container");
      const images = { task: taskImage(sdk, directory) };
      return {
        names: addedTo(given, container),
        run: (args) =>
          runPod(
            { ...pod, spec: { ...pod.spec, containers: [{ ...container, args }] } },
            { images, secrets, directory },
          ),
      };
    }

    it("is under exec what it is in a pod", async () => {
      const pod = await mutate();
      const program = ["python3", VIEW, ...pod.names];
      const config = await keepAll(home);
      const scope = ["-c", config, "-p", "p", "-d", "development"];
      const from = `${join(import.meta.dirname, module)}.py:${TASK}`;
      const under = await home.run(
        ["exec", ...scope, "--no-mask", "--from", from, "--python", sdk.python, "--", ...program],
        {
          env: { FLYTE_SECRET_SMTP_PASSWORD: "smtp-password\n", PATH: process.env.PATH ?? "" },
        },
      );
      const { modes: _, ...inPod } = viewIn(await pod.run(program));
      expect(Object.keys(inPod.files).length).toBeGreaterThan(1);
      expect(viewIn(under)).toEqual({ ...inPod, modes: ["444"] });
    });
  });
}
