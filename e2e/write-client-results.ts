// Writes the table of docs/migrating-from-flyte.md from a report of the clients' suites; `npm run e2e:results` makes
// both. A suite's title is "CLIENT VERSION REST: SERVER", in a suite named after the store where it runs over several.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Report {
  readonly testResults: readonly { readonly assertionResults: readonly Result[] }[];
}

interface Result {
  readonly ancestorTitles: readonly string[];
  readonly title: string;
  readonly status: string;
  readonly meta: { readonly failsInFlyte?: string };
}

const PAGE = join(import.meta.dirname, "../docs/migrating-from-flyte.md");
const BEGIN = "<!-- results: written by `npm run e2e:results` -->";
const END = "<!-- end of results -->";
const STORES = ["embedded", "Kubernetes"] as const;
type Store = (typeof STORES)[number];

/** Of each client, version and action: what came of it, over which store, with which servers. */
const rows = new Map<string, Map<Store, Map<string, string[]>>>();

const report = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Report;
for (const result of report.testResults.flatMap(({ assertionResults }) => assertionResults)) {
  const [client = "", server = ""] = (result.ancestorTitles.at(-1) ?? "").split(": ");
  const [, name = client, version = "", rest = ""] = /^(.+?) v?(\d+\.\d+\.\d+)(.*)$/.exec(client) ?? [];
  const store = STORES.find((one) => result.ancestorTitles[0] === `the ${one} store`) ?? "embedded";
  const row = getOrMake(rows, `| ${name}${rest} | ${version} | ${result.title} |`, () => new Map());
  const outcomes = getOrMake(row, store, () => new Map<string, string[]>());
  getOrMake(outcomes, describeOutcome(result), (): string[] => []).push(server);
}

function describeOutcome({ status, meta }: Result): string {
  if (status !== "passed") return status;
  return meta.failsInFlyte === undefined ? "works" : `fails in Flyte's client: ${meta.failsInFlyte}`;
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}

const lines = [...rows].map(([row, byStore]) => {
  const cells = STORES.map((store) =>
    [...(byStore.get(store) ?? [])].map(([outcome, servers]) => `${outcome} (${servers.join(", ")})`).join("; "),
  );
  return `${row} ${cells.join(" | ")} |`;
});
const head = [
  "| client | version | what it does | embedded store | Kubernetes store |",
  "| --- | --- | --- | --- | --- |",
];
const table = [...head, ...lines.toSorted()].join("\n");

const page = readFileSync(PAGE, "utf8");
const [before, rest = ""] = page.split(BEGIN);
const [, after = ""] = rest.split(END);
writeFileSync(PAGE, `${before}${BEGIN}\n\n${table}\n\n${END}${after}`);
