import {
  decodeSecretId,
  excerpt,
  INJECT_LABEL,
  isSecretsError,
  type SecretRequest,
  type SecretsError,
} from "@flyte-secrets/core";
import type { InjectContext, Injector } from "@flyte-secrets/inject";
import { claimOf, type MutatePodOptions, mutatePod, type PodCreation } from "@flyte-secrets/webhook";
import { isNowhere } from "../explain/explain-pods.ts";
import { type Explanation, explainRequest, type SearchedPlace } from "../explain/explain-request.ts";
import { describeScope } from "../options/secret-options.ts";
import { nameOf } from "../project-file/project-file.ts";
import type { Subject } from "./subject.ts";
import { VERDICTS, type Verdict, type VerdictCode, verdict } from "./verdict.ts";

export interface CheckSubjectOptions {
  /** In the order in which they are tried. */
  readonly managers: readonly Injector[];
  /** Where the managers looked since the last call. */
  readonly takePlaces: () => SearchedPlace[];
  readonly variables: InjectContext["variables"];
  /** What becomes of a pod as a whole. */
  readonly admission: MutatePodOptions;
  /** Who creates the pods. */
  readonly creator: PodCreation["creator"];
  /** Whether a secret has to be at the narrowest scope. */
  readonly narrowestOnly: boolean;
  /** What helps with a key that was found nowhere. */
  helpWith(key: string, labels: InjectContext["labels"]): Promise<string>;
}

/**
 * Judges each request of a subject by itself, and then its pod with all of them as the webhook does: there is an `error`
 * among the verdicts exactly when the webhook would not give the pod its secrets. Throws for a backend that fails, of
 * which nothing can be said.
 */
export async function checkSubject(subject: Subject, options: CheckSubjectOptions): Promise<readonly Verdict[]> {
  const about = { file: subject.file, subject: subject.title };
  const { creator, admission } = options;
  const verdicts: Verdict[] = [];
  try {
    const requests = subject.requests();
    if (requests.length === 0) return [];
    const creation = { ...subject.podFor(requests), creator };
    const claim = await claimOf(creation, { ...admission, onRefused: undefined });
    const labels = creation.pod.metadata?.labels ?? {};
    const context = { labels, namespace: creation.namespace, variables: options.variables, claim };
    const kept: SecretRequest[] = [];
    for (const request of requests) {
      const next = {
        ...about,
        secret: excerpt(nameOf(request)),
        ...(await judge(request, { subject, context, options })),
      };
      verdicts.push(next);
      if (next.code !== "missing" || next.level === "error") kept.push(request);
    }
    if (!subject.isSent) {
      const message = `without the label ${INJECT_LABEL}: "true" the webhook is not asked about it`;
      return [...verdicts, verdict("unlabelled", { ...about, message })];
    }
    const change = await mutatePod({ ...subject.podFor(kept), creator }, admission, { dryRun: true });
    const refusal = change.changed ? claim?.warning : undefined;
    if (refusal !== undefined) verdicts.push(verdict("refused", { ...about, level: "warning", message: refusal }));
    return verdicts;
  } catch (error) {
    const rest = toVerdict(error);
    const isTold = verdicts.some(({ level, code }) => level === "error" && code !== "broader");
    return isTold ? verdicts : [...verdicts, { ...about, ...rest }];
  }
}

interface JudgeOptions {
  readonly subject: Subject;
  readonly context: InjectContext;
  readonly options: CheckSubjectOptions;
}

type Judgement = Omit<Verdict, "file" | "subject" | "secret">;

async function judge(request: SecretRequest, { subject, context, options }: JudgeOptions): Promise<Judgement> {
  let explanations: readonly Explanation[];
  try {
    explanations = await explainRequest(request, { ...options, context });
  } catch (error) {
    options.takePlaces();
    return toVerdict(error);
  }
  const serving = explanations.find((one) => one.outcome === "serves");
  if (serving !== undefined) return judgeServed(serving, context, options);
  const passed = explanations.filter((one) => one.outcome === "passes");
  const reasonsOf = (some: typeof passed) => some.map(({ reason }) => reason).join("; ");
  // Global, which looks for everything, is not where anybody would put it.
  const isLookedFor = passed.some(({ manager, places }) => manager !== "Global" && places.length > 0);
  if (isLookedFor && isNowhere(explanations)) {
    const isOptional = subject.optional.has(request);
    const scope = scopeText(context.labels);
    return {
      code: "missing",
      level: isOptional ? "note" : "error",
      message: `${isOptional ? "it is optional, and " : ""}it was not found${scope && ` for ${scope}`}`,
      remedy: await options.helpWith(request.key, context.labels),
    };
  }
  const unfit = passed.filter(({ places }) => places.some(({ found }) => found));
  if (unfit.length > 0) return judgement("unreadable", reasonsOf(unfit));
  const refused = passed.filter((one) => one.refused);
  if (refused.length > 0) return judgement("refused", reasonsOf(refused));
  return judgement("impossible", reasonsOf(passed));
}

function judgeServed(
  { manager, places }: Extract<Explanation, { outcome: "serves" }>,
  { labels }: InjectContext,
  { narrowestOnly }: CheckSubjectOptions,
): Judgement {
  const place = places.find(({ found }) => found !== false);
  if (place === undefined) return judgement("found", `${manager} has it`);
  if (place.found === undefined) {
    return judgement("deferred", `the pod reads ${place.kind} ${excerpt(place.name)} when it starts`);
  }
  if (!place.kind.endsWith(" scope")) return judgement("found", `${place.kind} ${excerpt(place.name)}`);
  const from = scopeOf(place.name);
  if (place.kind === "project scope") return judgement("found", from);
  return {
    ...judgement("broader", `${from}; ${scopeText(labels)} has none of its own`),
    ...(narrowestOnly && { level: "error" as const }),
  };
}

/** The scope of an encoded id; the id itself where it is none of ours, as of a short form at a cloud's manager. */
function scopeOf(id: string): string {
  try {
    return describeScope(decodeSecretId(id));
  } catch (error) {
    if (isSecretsError(error, "invalid_argument")) return excerpt(id);
    throw error;
  }
}

function scopeText({ project = "", domain = "" }: InjectContext["labels"]): string {
  return domain === "" ? "" : describeScope({ project, domain });
}

const judgement = (code: VerdictCode, message: string): Judgement => ({ code, level: VERDICTS[code].level, message });

/** What an error says about a pod. Throws it again where it says something about the backend. */
function toVerdict(error: unknown): Judgement {
  if (!isSecretsError(error)) throw error;
  const code = CODES[error.code];
  if (code === undefined) throw error;
  return judgement(code, error.message);
}

const CODES: Readonly<Partial<Record<SecretsError["code"], VerdictCode>>> = {
  claim_refused: "refused",
  pod_conflict: "conflict",
  value_unreadable: "unreadable",
  invalid_argument: "impossible",
  invalid_annotation: "impossible",
  limit_exceeded: "impossible",
  mount_unsupported: "impossible",
  not_injected: "rejected",
};
