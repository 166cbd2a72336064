import { SecretsError } from "@flyte-secrets/core";
import type { Mutator } from "@flyte-secrets/inject";
import { JsonPatch, parsePod } from "@flyte-secrets/inject";
import { expect, test } from "vitest";
import { mutatePod } from "../admission/admit.ts";
import type { RefusedClaim } from "./pod-claim.ts";

const error = new SecretsError("claim_refused", "not yours");
const pod = parsePod({
  metadata: { labels: { organization: "flyte", project: "p", domain: "d" } },
  spec: { containers: [] },
});
const creation = { pod, namespace: "x", creator: { username: "u", groups: [] } };

/** Mutates a pod whose claim is refused, by a mutator that checks the claim so often. */
async function mutate({ warnOnly, checks, changed = true }: { warnOnly: boolean; checks: number; changed?: boolean }) {
  const refused: RefusedClaim[] = [];
  const mutator: Pick<Mutator, "computeChange"> = {
    async computeChange(_, { claim } = {}) {
      for (let check = 0; check < checks; check++) claim?.check();
      return changed
        ? { changed, patch: new JsonPatch([]), warnings: ["own"], injections: [], secrets: [] }
        : { changed };
    },
  };
  const scopeGuard = () => ({ rule: "template", error }) as const;
  const onRefused = (claim: RefusedClaim) => void refused.push(claim);
  const outcome = await Promise.resolve()
    .then(() => mutatePod(creation, { mutator, scopeGuard, warnOnly, onRefused }))
    .catch((thrown: unknown) => thrown);
  return { outcome, refused };
}

test("a refused claim rejects the pod that makes use of it, and is told of", async () => {
  const { outcome, refused } = await mutate({ warnOnly: false, checks: 1 });
  expect(outcome).toBe(error);
  expect(refused).toEqual([{ creation, refusal: { rule: "template", error }, warnOnly: false }]);
});

test("with mode warn the pod is let in with a warning, and told of once however many secrets it asks for", async () => {
  const { outcome, refused } = await mutate({ warnOnly: true, checks: 3 });
  expect(outcome).toMatchObject({ changed: true, warnings: ["own", "not yours"] });
  expect(refused).toEqual([{ creation, refusal: { rule: "template", error }, warnOnly: true }]);
});

test.each([
  true,
  false,
])("a pod that makes no use of its claim is neither rejected nor warned (warn: %s)", async (warnOnly) => {
  const { outcome, refused } = await mutate({ warnOnly, checks: 0 });
  expect(outcome).toMatchObject({ changed: true, warnings: ["own"] });
  expect(refused).toEqual([]);
});

test("a pod that is not changed has no warnings", async () => {
  expect((await mutate({ warnOnly: true, checks: 1, changed: false })).outcome).toEqual({ changed: false });
});
