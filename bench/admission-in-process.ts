import { readFileSync } from "node:fs";
import { toAdmissionOptions } from "@flyte-secrets/cli/configured";
import { loadConfig } from "@flyte-secrets/config";
import { createLogger } from "@flyte-secrets/http";
import { NO_METRICS } from "@flyte-secrets/lookup";
// The webhook's own modules: what an admission costs without HTTP and TLS is not to be had from outside.
import { createStoreLookup } from "@flyte-secrets/lookup/testing";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { createAdmission } from "@flyte-secrets/webhook";
import { admit, decodeAdmissionReview, encodeAdmissionResponse } from "@flyte-secrets/webhook/testing";
import { ADMISSION_CASES, type AdmissionCase, prepareAdmission } from "./admission-case.ts";
import { floorAnswer } from "./floor-answer.ts";
import type { Row } from "./table.ts";

type Answer = (body: Buffer) => Promise<string>;

/**
 * Short turns, and many: whatever else the machine does misses some of them, and the quickest of each side are
 * compared.
 */
const ROUNDS = 400;
const CALLS = 100;
/** Until V8 has compiled what is hot. */
const WARM_UP_CALLS = 30_000;

/** From the bytes of a body to the text of the answer, in this process, next to the floor handler's. */
export async function measureInProcess(folder: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [index, what] of ADMISSION_CASES.entries()) {
    const { directory, reviewFile } = await prepareAdmission(folder, what, String(index));
    const body = readFileSync(reviewFile);
    await using stack = new AsyncDisposableStack();
    const ours = await openAnswer(directory, what, stack);
    const { response } = JSON.parse(await ours(body));
    const floor: Answer = async (bytes) => floorAnswer(bytes, response.patch);
    for (const answer of [ours, floor]) await time(answer, body, WARM_UP_CALLS);
    let [oursUs, floorUs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let round = 0; round < ROUNDS; round++) {
      oursUs = Math.min(oursUs, await time(ours, body, CALLS));
      floorUs = Math.min(floorUs, await time(floor, body, CALLS));
    }
    rows.push({
      what: `${what.secrets} secrets, ${what.level}, ${what.delivery}`,
      "ours, µs": oursUs,
      "floor, µs": floorUs,
      "floor/ours": floorUs / oursUs,
    });
  }
  return rows;
}

async function openAnswer(
  directory: string,
  { delivery }: AdmissionCase,
  stack: AsyncDisposableStack,
): Promise<Answer> {
  const flags = {
    "webhook.embeddedSecretManagerConfig.type": "Store",
    "webhook.embeddedSecretManagerConfig.delivery": delivery,
  };
  const config = loadConfig({ files: [], defaultFiles: [], env: {}, flags, home: directory, cwd: directory });
  const store = await openEmbeddedStore({ directory });
  stack.defer(() => store.close());
  const { size: maxBytes } = config.cache.inMemoryFixedSize;
  const log = createLogger(config.logger, { write: () => {} });
  const clock = () => performance.now();
  const lookup = createStoreLookup({ store, clock, maxBytes, timeoutMs: 1_000, log, metrics: NO_METRICS });
  stack.defer(() => lookup.close());
  const options = createAdmission(toAdmissionOptions(config, "flyte"), {
    lookup,
    global: { readVariable: () => undefined, readFile: () => undefined },
    writer: { write() {} },
  });
  const { signal } = new AbortController();
  return async (body) => {
    const request = decodeAdmissionReview(body.toString());
    const admission = admit(request, options, signal);
    const { answer } = admission instanceof Promise ? await admission : admission;
    return encodeAdmissionResponse(request, answer);
  };
}

async function time(answer: Answer, body: Buffer, calls: number): Promise<number> {
  const started = performance.now();
  for (let call = 0; call < calls; call++) await answer(body);
  return ((performance.now() - started) * 1_000) / calls;
}
