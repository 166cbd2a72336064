// Writes the table of docs/migrating-from-flyte.md from a report of the clients' suites; `npm run e2e:results` makes both.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

const PAGE = join(import.meta.dirname, "../docs/migrating-from-flyte.md");
const BEGIN = "<!-- results: written by `npm run e2e:results` -->";
const END = "<!-- end of results -->";

const report = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Report;
const rows = report.testResults
  .flatMap(({ assertionResults }) => assertionResults)
  .map(({ ancestorTitles: [suite = ""], title, status }) => {
    const [client, server = ""] = suite.split(" against ");
    return `| ${client} | ${server.replace("serve --auth ", "")} | ${title} | ${status === "passed" ? "works" : status} |`;
  });
const table = ["| client | server | what it does | result |", "| --- | --- | --- | --- |", ...rows.toSorted()].join(
  "\n",
);

const page = readFileSync(PAGE, "utf8");
const [before, rest = ""] = page.split(BEGIN);
const [, after = ""] = rest.split(END);
writeFileSync(PAGE, `${before}${BEGIN}\n\n${table}\n\n${END}${after}`);
