import { SecretsError } from "@flyte-secrets/core";
import { parsePod } from "@flyte-secrets/inject";
import { createManualClock } from "@flyte-secrets/testkit";
import { pino } from "pino";
import { expect, it } from "vitest";
import type { RefusedClaim } from "../binding/pod-claim.ts";
import { createRefusedClaimReporter } from "./refused-claim-reporter.ts";

function setUp() {
  const clock = createManualClock();
  const lines: Record<string, unknown>[] = [];
  const counted: RefusedClaim[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line) => void lines.push(JSON.parse(line)) });
  const note = createRefusedClaimReporter({ log, clock, count: (refused) => void counted.push(refused) });
  const refuse = (project: string, { namespace = "x", warnOnly = true } = {}) => {
    const pod = parsePod({ metadata: { labels: { project, domain: "d" } }, spec: { containers: [] } });
    const creation = { pod, namespace, creator: { username: "u", groups: [] } };
    note({ creation, refusal: { rule: "template", error: new SecretsError("claim_refused", "because") }, warnOnly });
  };
  return { clock, lines, counted, refuse };
}

it("counts each pod, and logs each claim of a namespace once in 10 minutes", async () => {
  const { clock, lines, counted, refuse } = setUp();
  for (let pod = 0; pod < 3; pod++) refuse("p");
  refuse("p", { namespace: "y" });
  const msg = "webhook.scopeBinding.mode enforce would refuse this pod";
  const line = { level: 40, project: "p", domain: "d", rule: "template", reason: "because", msg };
  expect(lines).toEqual([
    { ...line, namespace: "x" },
    { ...line, namespace: "y" },
  ]);
  await clock.advance(600_000);
  refuse("p");
  expect(lines).toHaveLength(3);
  expect(counted).toHaveLength(5);
});

it("logs 100 claims of somebody who invents them, and says that there are more", () => {
  const { lines, counted, refuse } = setUp();
  for (let pod = 0; pod < 1_000; pod++) refuse(`p-${pod}`);
  expect(lines).toHaveLength(101);
  expect(lines.at(-1)).toMatchObject({ msg: "further claims are counted and not logged for up to 10 minutes" });
  expect(counted).toHaveLength(1_000);
});

it("only counts pods that are rejected, whose rejection is logged", () => {
  const { lines, counted, refuse } = setUp();
  refuse("p", { warnOnly: false });
  expect([lines, counted.length]).toEqual([[], 1]);
});

it("writes foreign text cut and escaped", () => {
  const { lines, refuse } = setUp();
  refuse(`\u001b]0;${"p".repeat(500)}`);
  expect(lines[0]?.project).toMatch(/^\\u001b\]0;p{116}…$/);
});
