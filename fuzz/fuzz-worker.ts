import { parentPort, workerData } from "node:worker_threads";
import { startCoverage } from "./engine/coverage.ts";
import type { Find } from "./engine/find.ts";
import { fuzz } from "./engine/fuzz-loop.ts";
import { writeInput } from "./input-under-way.ts";
import type { FuzzTarget } from "./target.ts";

/** What to fuzz, and for how long. */
export interface FuzzOrder {
  readonly target: string;
  readonly seed: number;
  readonly runForMs: number;
  readonly corpus: readonly Uint8Array[];
  /** Where the input stands that is being run. */
  readonly inputUnderWay: SharedArrayBuffer;
}

/** What a worker reports: finds as they come, the result at the end. */
export type FuzzMessage =
  | { readonly type: "find"; readonly find: Find }
  | { readonly type: "done"; readonly runs: number; readonly covered: number; readonly corpus: readonly Uint8Array[] };

const order = workerData as FuzzOrder;
const send = (message: FuzzMessage) => parentPort?.postMessage(message);

const coverage = startCoverage((url) => url.includes("/packages/") && !url.includes("/node_modules/"));
const { target }: { target: FuzzTarget } = await import(`./targets/${order.target}.ts`);
const opened = await target.open();
const result = await fuzz({
  ...order,
  target,
  opened,
  coverage,
  onInput: (input) => writeInput(order.inputUnderWay, input),
  onFind: (find) => send({ type: "find", find }),
});
coverage.close();
await opened.close?.();
send({ type: "done", ...result });
