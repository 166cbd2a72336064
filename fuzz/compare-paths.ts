// npm run compare-paths [-- --requests N] [--seed N]
// Sends generated requests to the service's own path for unary calls and to the Connect library, and fails at the first
// ones that are answered or logged in another way.
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { comparePaths } from "@flyte-secrets/service/testing";

const USAGE = "usage: npm run compare-paths [-- --requests N] [--seed N]   (100000 requests, a new seed)";

const options = readArguments();
console.log(`comparing ${options.requests} requests, --seed ${options.seed}`);
const { differences, ownPath, requests } = await comparePaths(options);
for (const difference of differences) console.dir(difference, { depth: null });
console.log(`${requests} requests, ${ownPath} of them answered by the own path, ${differences.length} differences`);
process.exitCode = differences.length === 0 ? 0 : 1;

/** Ends the process for `--help`, and for arguments that are wrong. */
function readArguments(): { readonly requests: number; readonly seed: number } {
  try {
    const { values } = parseArgs({
      options: {
        requests: { type: "string", default: "100000" },
        seed: { type: "string", default: String(randomInt(2 ** 31)) },
        help: { type: "boolean", short: "h" },
      },
    });
    const [requests, seed] = [Number(values.requests), Number(values.seed)];
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    if (Number.isSafeInteger(requests) && requests > 0 && Number.isSafeInteger(seed)) return { requests, seed };
    console.error(`--requests and --seed: must be whole numbers\n${USAGE}`);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  }
  process.exit(2);
}
