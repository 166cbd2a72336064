import type { FuzzTarget, OpenTarget } from "../target.ts";
import type { Coverage } from "./coverage.ts";
import { type Find, faultOf } from "./find.ts";
import { mutate } from "./mutate.ts";
import { createRandom } from "./random.ts";
import { type ShrinkLimits, shrink } from "./shrink.ts";
import { createPace } from "./watch-pace.ts";

export interface FuzzOptions {
  readonly target: FuzzTarget;
  readonly opened: OpenTarget;
  readonly coverage: Coverage;
  /** The same seed, corpus and code give the same inputs, apart from what depends on time: batches and slow inputs. */
  readonly seed: number;
  readonly runForMs: number;
  /** Ends it earlier. */
  readonly signal?: AbortSignal;
  /** Inputs of earlier runs, beside the target's seeds. */
  readonly corpus: readonly Uint8Array[];
  /** Hears of each input before it is run, so that somebody else can tell which one never came back. */
  readonly onInput: (input: Uint8Array) => void;
  /** Hears of each cause once. */
  readonly onFind: (find: Find) => void;
}

export interface FuzzResult {
  readonly runs: number;
  /** Stretches of code that have run. */
  readonly covered: number;
  /** Inputs that ran code which none before had run: shortened, in the order in which they were found. */
  readonly corpus: readonly Uint8Array[];
}

const DEFAULT_MAX_BYTES = 4_096;
/** Reading the coverage takes milliseconds: a batch of inputs goes on for some times as long. */
const RUN_PER_READING = 4;
const MAX_BATCH = 4_096;
/** An input of the corpus is made shorter within these: each try is a reading. */
const CORPUS_LIMITS: ShrinkLimits = { maxTries: 32, maxMs: 500 };
const FIND_LIMITS: ShrinkLimits = { maxTries: 2_000, maxMs: 5_000 };

/**
 * Runs a target on mutations of its corpus until the time is up. An input that runs code which none has run before
 * joins the corpus: inputs run in batches, and a batch with something new is halved until the inputs are known that
 * brought it.
 */
export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { target, opened, coverage, onInput } = options;
  const random = createRandom(options.seed);
  const maxBytes = target.maxBytes ?? DEFAULT_MAX_BYTES;
  const dictionary = target.dictionary.map((word) => Buffer.from(word, "latin1"));
  const pace = createPace();
  const causes = new Set<string>();
  const kept: Uint8Array[] = [];
  const ends = performance.now() + options.runForMs;
  const isOver = () => performance.now() >= ends || options.signal?.aborted === true;
  let runs = 0;

  async function run(input: Uint8Array): Promise<Find | undefined> {
    runs++;
    onInput(input);
    try {
      const ended = opened.run(input);
      if (ended instanceof Promise) await ended;
      assertCleanPrototype();
      return undefined;
    } catch (error) {
      return faultOf(input, error);
    }
  }

  /** The processor time of this thread: other programs on the machine don't make an input slow. */
  async function timed(input: Uint8Array): Promise<number> {
    const before = process.threadCpuUsage();
    await run(input);
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1000;
  }

  async function tell(find: Find): Promise<void> {
    if (causes.has(find.cause)) return;
    causes.add(find.cause);
    if (find.kind === "slow") return options.onFind(find);
    const input = await shrink(find.input, async (shorter) => (await run(shorter))?.cause === find.cause, FIND_LIMITS);
    options.onFind((await run(input)) ?? find);
  }

  async function runBatch(batch: readonly Uint8Array[]): Promise<void> {
    for (const input of batch) {
      if (isOver()) return;
      const started = performance.now();
      const fault = await run(input);
      const tookMs = performance.now() - started;
      if (fault) await tell(fault);
      if (!pace.isSlow(input.length, tookMs)) continue;
      const slow = pace.judge(input, [await timed(input), await timed(input), await timed(input)]);
      if (slow) await tell(slow);
    }
  }

  /** Keeps the inputs of a batch that bring something new, each made shorter in as many tries. */
  async function keepNew(batch: readonly Uint8Array[], maxTries: number): Promise<void> {
    const [input] = batch;
    if (input === undefined) return;
    if (batch.length > 1) {
      const middle = batch.length >> 1;
      for (const half of [batch.slice(0, middle), batch.slice(middle)]) {
        await runBatch(half);
        if (coverage.peekNew() > 0) await keepNew(half, maxTries);
      }
      return;
    }
    await run(input);
    const brought = coverage.peekNew();
    if (brought === 0) return;
    const shortest = await shrink(
      input,
      async (shorter) => {
        await run(shorter);
        return coverage.peekNew() >= brought;
      },
      { ...CORPUS_LIMITS, maxTries },
    );
    await run(shortest);
    coverage.takeNew();
    kept.push(shortest);
  }

  // What loading and opening ran is nobody's merit.
  coverage.takeNew();
  const first = [...options.corpus, ...[...target.seeds, ...(opened.seeds ?? [])].map((seed) => Buffer.from(seed))];
  for (const input of first) {
    await runBatch([input]);
    await keepNew([input], 0);
  }
  for (let batchSize = 16; !isOver(); ) {
    const corpus = kept.length > 0 ? kept : first;
    // The later ones are what is least worn.
    const parent = () => (random.oneIn(3) ? random.pick(corpus.slice(-16)) : random.pick(corpus));
    const batch = Array.from({ length: batchSize }, () => mutate(parent(), { random, corpus, dictionary, maxBytes }));
    const started = performance.now();
    await runBatch(batch);
    const ran = performance.now();
    const isNew = coverage.peekNew() > 0;
    const reading = performance.now() - ran;
    if (isNew) await keepNew(batch, CORPUS_LIMITS.maxTries);
    // What didn't come again, because it depends on what ran before or on time, would make every batch look new.
    if (isNew) coverage.takeNew();
    const perInput = (ran - started) / batch.length;
    batchSize = Math.min(MAX_BATCH, Math.max(1, Math.round((RUN_PER_READING * reading) / perInput)));
  }
  return { runs, covered: coverage.known, corpus: kept };
}

/** Throws when a run has put something on `Object.prototype`, and takes it away. */
function assertCleanPrototype(): void {
  const [name] = Object.keys(Object.prototype);
  if (name === undefined) return;
  Reflect.deleteProperty(Object.prototype, name);
  throw new Error(`Object.prototype got ${name}`);
}
