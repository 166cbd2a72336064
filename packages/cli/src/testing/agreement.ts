import type { Config } from "@flyte-secrets/config";
import { isSecretsError, systemClock } from "@flyte-secrets/core";
import { createLogger } from "@flyte-secrets/http";
import { applyPatch, type JsonPatchOperation, parsePod } from "@flyte-secrets/inject";
import { type LookupParts, NO_METRICS, openLookup } from "@flyte-secrets/lookup";
import { toPod } from "@flyte-secrets/sdk";
import { claimOf, createAdmission, createManagers, globalSecrets, mutatePod } from "@flyte-secrets/webhook";
import { expect } from "vitest";
import { checkSubject } from "../check/check-subject.ts";
import { toPodSubjects } from "../check/subject.ts";
import { toLookupOptions } from "../configured/lookup-options.ts";
import { ownNamespace } from "../configured/own-namespace.ts";
import { toAdmissionOptions } from "../configured/webhook-options.ts";
import type { CliContext } from "../context.ts";
import { explainPods, isServed } from "../explain/explain-pods.ts";
import { createRecorder } from "../explain/open-managers.ts";
import { localAdmission, UNKNOWN_CREATOR } from "../mutate/local-admission.ts";
import { mutateObject } from "../mutate/mutate-object.ts";
import { injectTask, withLocalManagersOnly } from "../run/inject-task.ts";
import { createLocalLookup } from "../store/local-lookup.ts";
import { podOf, type RandomPod } from "./random-pods.ts";

export interface AgreementOptions extends Pick<CliContext, "env" | "home"> {
  /** What the webhook's values come from; what is opened stays the caller's to close. */
  readonly sources: Pick<LookupParts, "openStore" | "openKube">;
}

/** `changed`, `unchanged`, or the code of the error that a pod is rejected with. */
export type Verdict = string;

export interface Agreement extends AsyncDisposable {
  /** Expects explain, check, mutate and run to treat a pod as the webhook does, and returns the webhook's verdict. */
  expectFor(pod: RandomPod): Promise<Verdict>;
}

/**
 * The webhook of a configuration, as the parts of `startWebhook` that decide, and the commands that foretell its
 * answers.
 */
export async function openAgreement(config: Config, { env, home, sources }: AgreementOptions): Promise<Agreement> {
  await using opened = new AsyncDisposableStack();
  const log = createLogger({ ...config.logger, mute: true });
  const watching = await openLookup(toLookupOptions(config), {
    ...sources,
    clock: systemClock,
    log,
    metrics: NO_METRICS,
  });
  opened.defer(() => watching.close());
  const deciding = toAdmissionOptions(config, "flyte");
  const global = globalSecrets(deciding.global, env);
  const writer = { write: async () => {} };
  const webhook = createAdmission(deciding, { lookup: watching, global, writer });

  const cli = { env, home, stderr: { write() {} } } as never;
  const lookup = opened.use(createLocalLookup(config, cli));
  const namespaceLabels = { find: () => undefined, isBound: () => false };
  const admission = localAdmission(config, { lookup, global, namespaceLabels, cli });
  const recorder = createRecorder({ lookup, global, type: config.webhook.embeddedSecretManagerConfig.type });
  const managers = createManagers(toAdmissionOptions(config, ownNamespace(config, cli)), recorder);

  // The command run uses the managers that need no cluster, so its answers are those of a webhook with these alone.
  const local = withLocalManagersOnly(config);
  const localOptions = toAdmissionOptions(local, ownNamespace(local, cli));
  const localWebhook = createAdmission(toAdmissionOptions(local, "flyte"), { lookup: watching, global, writer });

  /** Expects the command run to give a task with the pod's requests what the webhook gives the task's pod. */
  async function expectRun({ requests }: RandomPod): Promise<void> {
    const definition = { name: "train", kind: "task", requests } as const;
    const { embeddedSecretManagerConfig, secretEnvVarNaming, secretEnvVarPrefix, limits } = local.webhook;
    const run = await injectTask(
      { definition, inherited: [], input: undefined },
      {
        scope: SCOPE,
        lookup,
        global,
        createManagersOver: (parts) => createManagers(localOptions, parts),
        missingHelp: async () => [],
        delivery: embeddedSecretManagerConfig.delivery,
        escapeVariables: embeddedSecretManagerConfig.escapeInlineVariables,
        secretEnvVarPrefix,
        envVarNaming: secretEnvVarNaming,
        limits,
      },
      new AbortController().signal,
    ).catch(toRejected);
    const pod = parsePod(toPod({ definition }, { image: "local", ...SCOPE }));
    const review = { pod, namespace: pod.metadata?.namespace ?? "", creator: UNKNOWN_CREATOR };
    const expected = await answer(() => mutatePod(review, { ...localWebhook, warnOnly: true }, { dryRun: true }));
    if ("rejected" in run || !("pod" in run)) {
      expect(run.rejected?.code).toBe(expected.rejected?.code);
      return;
    }
    expect(expected.rejected).toBeUndefined();
    expect(run.injections.map(({ manager }) => manager)).toEqual(expected.managers ?? []);
    expect(plain(run.pod)).toEqual(plain(applyPatch(pod, expected.operations ?? [])));
  }

  const explain = (object: Manifest) =>
    explainPods([object], {
      managers,
      takePlaces: recorder.take,
      variables: { prefix: "_UNION_", style: config.webhook.secretEnvVarNaming },
      limits: config.webhook.limits,
      claimOf: (pod, namespace) =>
        claimOf({ pod, namespace, creator: UNKNOWN_CREATOR }, { scopeGuard: webhook.scopeGuard, warnOnly: true }),
      admission,
      namespace: "default",
    }).catch(toRejected);

  async function expectMutate(object: Manifest, expected: Outcome): Promise<void> {
    const mutated = await mutateObject(object, { admission, namespace: "default", creator: UNKNOWN_CREATOR });
    if (mutated.outcome === "rejected") {
      expect(expected.rejected?.code).toBe(mutated.error.code);
      const message = expected.rejected?.message.replace(HINT, "") ?? "";
      expect(mutated.error.message.slice(-message.length)).toBe(message);
    } else if (mutated.outcome === "changed") expect(plain(mutated.patch)).toEqual(expected.patch);
    else expect(expected.patch).toEqual([]);
  }

  async function expectExplain(object: Manifest, expected: Outcome): Promise<void> {
    const explained = await explain(object);
    if ("rejected" in explained) expect(explained.rejected?.code).toBe(expected.rejected?.code);
    else if ("requests" in explained) {
      const unserved = explained.requests.filter(({ managers }) => !isServed(managers));
      expect(unserved.length > 0 || explained.rejections.length > 0).toBe(expected.rejected !== undefined);
      if (expected.rejected === undefined && expected.managers !== undefined) {
        const serving = explained.requests.map(
          ({ managers }) => managers.find((one) => one.outcome === "serves")?.manager,
        );
        expect(serving).toEqual(expected.managers);
      }
    }
  }

  /** There is an error among the verdicts if the webhook rejects the pod, and only then. */
  async function expectCheck(object: Manifest, { rejected }: Outcome, warnOnly: boolean): Promise<void> {
    const options = { namespace: "default", limits: config.webhook.limits };
    const [subject] = toPodSubjects("pod.yaml", [object], options);
    if (subject === undefined) throw new Error("the manifest has no pod");
    const verdicts = await checkSubject(subject, {
      managers,
      takePlaces: recorder.take,
      variables: { prefix: "_UNION_", style: config.webhook.secretEnvVarNaming },
      admission: { ...admission, warnOnly },
      creator: UNKNOWN_CREATOR,
      narrowestOnly: false,
      helpWith: async () => "",
    });
    const isRefused = verdicts.some(({ level }) => level === "error");
    expect({ isRefused, verdicts }).toEqual({ isRefused: rejected !== undefined, verdicts });
  }

  const running = opened.move();
  return {
    async expectFor(each) {
      const object = podOf(each);
      const review = { pod: parsePod(object), namespace: each.namespace, creator: UNKNOWN_CREATOR };
      const expected = await answer(() => mutatePod(review, { ...webhook, warnOnly: true }, { dryRun: true }));
      await expectMutate(object, expected);
      await expectExplain(object, expected);
      await expectCheck(object, expected, true);
      const enforced = await answer(() => mutatePod(review, { ...webhook, warnOnly: false }, { dryRun: true }));
      await expectCheck(object, enforced, false);
      await expectRun(each);
      return expected.rejected?.code ?? (expected.managers?.length ? "changed" : "unchanged");
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

type Manifest = ReturnType<typeof podOf>;

interface Outcome {
  readonly rejected?: { readonly code: string; readonly message: string };
  /** Empty when nothing changes. */
  readonly patch?: unknown;
  readonly operations?: readonly JsonPatchOperation[];
  readonly managers?: readonly string[];
}

/** The scope of the tasks of the command run: that of the pods with all labels. */
const SCOPE = { org: "flyte", project: "shop", domain: "dev" };

async function answer(ask: () => ReturnType<typeof mutatePod>): Promise<Outcome> {
  try {
    const change = await ask();
    if (!change.changed) return { patch: [] };
    const { operations } = change.patch;
    return { patch: plain(operations), operations, managers: change.injections.map(({ manager }) => manager) };
  } catch (error) {
    return toRejected(error);
  }
}

function toRejected(error: unknown): Outcome {
  if (!isSecretsError(error)) throw error;
  return { rejected: { code: error.code, message: error.message } };
}

/** What a watch knows beside what it was asked for, and who reads single Secrets doesn't. */
const HINT = /; Secret [-.a-z0-9]+ in namespace [-a-z0-9]+ has that data key, but should be named [0-9a-f]{32}/g;

/** Names of written Secrets are random without a naming key. */
const WRITTEN = /flyte-secrets-[0-9a-f]{32}/g;
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replace(WRITTEN, "WRITTEN"));
