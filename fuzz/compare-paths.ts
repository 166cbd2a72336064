// npm run compare-paths [-- --requests N] [--seed N]
// Sends generated requests to the service's own path for unary calls and to the Connect library, and fails at the first
// ones that are answered or logged in another way.
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { comparePaths } from "@flyte-secrets/service/testing";

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "100000" },
    seed: { type: "string", default: String(randomInt(2 ** 31)) },
  },
});
console.log(`comparing ${values.requests} requests, --seed ${values.seed}`);
const { differences, ownPath, requests } = await comparePaths({
  seed: Number(values.seed),
  requests: Number(values.requests),
});
for (const difference of differences) console.dir(difference, { depth: null });
console.log(`${requests} requests, ${ownPath} of them answered by the own path, ${differences.length} differences`);
process.exitCode = differences.length === 0 ? 0 : 1;
