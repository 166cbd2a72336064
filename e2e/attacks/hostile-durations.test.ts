// Addresses and durations that anybody may send to the webhook's port, without credentials.

import { ask, podReview, review, send, taskPod } from "@flyte-secrets/webhook/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWebhookProcess, type WebhookProcess } from "../support/start-webhook.ts";
import { AS_IN_THE_IMAGE, CHART_LIMIT_MIB, underAttack } from "./under-attack.ts";

let webhook: WebhookProcess;
beforeAll(async () => {
  webhook = await startWebhookProcess({ nodeOptions: AS_IN_THE_IMAGE });
});
afterAll(() => webhook.stop());

const REVIEW = "/mutate--v1-pod";
/** What a header line has room for, beside the rest. */
const LONG = 12_000;

test.each<{ what: string; timeout: string; path?: string; method?: string; status: number }>([
  {
    what: "C1: amounts that can be split in many ways (hung for ever), to no path",
    timeout: `${"11h".repeat(40)}x`,
    path: "/",
    method: "GET",
    status: 404,
  },
  { what: "C1: the same to the webhook's path, by GET", timeout: `${"11h".repeat(40)}x`, method: "GET", status: 405 },
  { what: "C1: the same with a review", timeout: `${"11h".repeat(40)}x`, status: 200 },
  { what: "C1: as many as an address has room for", timeout: `${"11h".repeat(LONG / 3)}x`, status: 200 },
  { what: "C1: digits alone", timeout: "1".repeat(LONG), status: 200 },
  { what: "C1: points", timeout: ".".repeat(LONG), status: 200 },
  { what: "C1: digits and points", timeout: `${"1.".repeat(LONG / 2)}h`, status: 200 },
  { what: "C1: units without amounts", timeout: "h".repeat(LONG), status: 200 },
  { what: "C1: signs", timeout: "-".repeat(LONG), status: 200 },
  { what: "C1: an amount that is no number any more", timeout: `${"9".repeat(LONG)}h`, status: 200 },
  { what: "C1: a duration of 10,000 years", timeout: "87600000h", status: 200 },
  { what: "C1: less than nothing", timeout: "-10s", status: 200 },
  { what: "C1: half a nanosecond", timeout: ".5ns", status: 200 },
  { what: "C1: the longest that is read", timeout: "1.".padEnd(31, "0").concat("s"), status: 200 },
  { what: "C1: escapes of escapes", timeout: "%25".repeat(LONG / 3), status: 200 },
])("$what", async ({ timeout, path = REVIEW, method = "POST", status }) => {
  const body = JSON.stringify(podReview(taskPod([])));
  const good = podReview(taskPod([ask("absent")]));
  const report = await underAttack(
    { pid: webhook.process.pid ?? 0, ask: async () => void (await review(webhook, good)) },
    async () => {
      for (let turn = 0; turn < 20; turn++) {
        const answer = await send(webhook, body, { method, path: `${path}?timeout=${timeout}` });
        expect(answer.status).toBe(status);
      }
    },
  );
  expect(report.failures).toEqual([]);
  expect(report.peakMib).toBeLessThan(CHART_LIMIT_MIB);
});

test("C1: 1,000 parameters, and a timeout at their end", async () => {
  const path = `${REVIEW}?${"a=1&".repeat(1_000)}timeout=${"11h".repeat(40)}x`;
  const answer = await send(webhook, JSON.stringify(podReview(taskPod([]))), { path });
  expect(answer.status).toBe(200);
});
