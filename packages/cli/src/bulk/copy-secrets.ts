import { isSecretsError, type SecretId, type SecretRecord, SecretsError } from "@flyte-secrets/core";
import type { EmbeddedStore } from "@flyte-secrets/store";
import { type ConcurrentOptions, runConcurrently } from "../concurrency.ts";
import { abbreviateNames, formatCount, formatSecretCount } from "../render/counts.ts";
import { withErrorPrefix } from "./progress.ts";

/** A secret, and where it is to be. */
export interface CopyPair {
  readonly from: SecretId;
  readonly to: SecretId;
}

export interface CopySecretsOptions extends ConcurrentOptions {
  readonly how: "copy" | "move";
  /**
   * What happens with secrets that are there: they refuse all of it, are left as they are in both places, or get the
   * other value.
   */
  readonly existing: "refuse" | "skip" | "overwrite";
  readonly dryRun: boolean;
}

export interface Copied {
  readonly name: string;
  readonly outcome: "created" | "replaced" | "skipped";
}

interface Step extends CopyPair {
  readonly source: SecretRecord | undefined;
  readonly isThere: boolean;
}

/**
 * Copies or moves secrets within a store concurrently, and returns the outcomes in their order. Throws `not_found` or
 * `already_exists`, with the first few names, before anything is written. After a failure or an abort the error
 * includes the progress.
 */
export async function copySecrets(
  store: EmbeddedStore,
  pairs: readonly CopyPair[],
  { how, existing, dryRun, ...work }: CopySecretsOptions,
): Promise<Copied[]> {
  const steps: Step[] = [];
  for (const pair of pairs) steps.push({ ...pair, ...(await look(pair)) });
  const missing = steps.filter(({ source }) => source === undefined).map(({ from }) => from.name);
  if (missing.length > 0)
    throw new SecretsError("not_found", `not found: ${abbreviateNames(missing)}. Nothing was written`);
  const misplaced = steps.find(({ source, to }) => source?.type === "image_pull" && to.domain !== "");
  if (misplaced) {
    const rule = "an image-pull secret has neither project nor domain";
    throw new SecretsError("invalid_argument", `${misplaced.from.name}: ${rule}. Nothing was written`);
  }
  const taken = steps.filter(({ isThere }) => isThere).map(({ to }) => to.name);
  if (taken.length > 0 && existing === "refuse") {
    const remedy = "--skip-existing leaves them as they are, --overwrite gives them the other value";
    throw new SecretsError(
      "already_exists",
      `already there: ${abbreviateNames(taken)}. Nothing was written; ${remedy}`,
    );
  }
  const act = async ({ from, to, isThere }: Step): Promise<Copied> => {
    if (isThere && existing === "skip") return { name: from.name, outcome: "skipped" };
    if (dryRun) return { name: from.name, outcome: isThere ? "replaced" : "created" };
    return { name: from.name, outcome: await copyOne({ from, to }) };
  };
  const { outcomes, done, failure } = await runConcurrently(steps, act, work);
  const far = `${formatCount(done)} of ${formatSecretCount(steps.length)} done, the others are as they were`;
  if (failure !== undefined) {
    await withErrorPrefix(`${steps[failure.index]?.from.name} (${far})`, () => Promise.reject(failure.error));
  }
  if (done < steps.length) throw new SecretsError("canceled", `interrupted: ${far}`);
  return outcomes.filter((outcome) => outcome !== undefined);

  async function look({ from, to }: CopyPair) {
    const [source, target] = [await store.get(from), await store.get(to, { includeSystem: true })];
    return { source, isThere: target !== undefined };
  }

  async function copyOne({ from, to }: CopyPair): Promise<Copied["outcome"]> {
    try {
      return await store.copy(from, to, { overwrite: existing === "overwrite", remove: how === "move" });
    } catch (error) {
      // Somebody else has made it since the names were looked at.
      if (existing === "skip" && isSecretsError(error, "already_exists")) return "skipped";
      throw error;
    }
  }
}
