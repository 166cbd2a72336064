import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { root } from "./published-packages.ts";

/** A page of `docs/api`: the exports of one entry, or some of them. */
interface ApiPage {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  /** How the names are imported. */
  readonly specifier: string;
  /** The declarations that TypeScript writes for the entry. */
  readonly entry: string;
  /** Which exports, if not all. */
  readonly only?: readonly string[];
}

const PAGES: readonly ApiPage[] = [
  {
    name: "sdk",
    title: "SDK",
    about: "What a task declares and reads. [The guide](../sdk.md) shows it in use.",
    specifier: "@flyte-secrets/sdk",
    entry: "packages/sdk/dist/index.d.ts",
  },
  {
    name: "sdk-remote",
    title: "SDK: remote",
    about: "The client of the secret service. [The guide](../sdk.md) shows it in use.",
    specifier: "@flyte-secrets/sdk/remote",
    entry: "packages/sdk/dist/remote.d.ts",
  },
  {
    name: "service",
    title: "Service in a server of your own",
    about: "Mounts the secret service on an HTTP server that you run. [The service](../service.md) has its calls.",
    specifier: "@flyte-secrets/service",
    entry: "packages/service/dist/index.d.ts",
    only: ["secretService", "SecretServiceOptions", "MountedSecretService", "ServiceConfig", "ServiceAuth"],
  },
  {
    name: "store",
    title: "Stores",
    about:
      "What a store of secrets implements. The contract suite is `describeSecretStore` of `@flyte-secrets/testkit`.",
    specifier: "@flyte-secrets/core",
    entry: "packages/core/dist/store.d.ts",
  },
];

interface Declaration {
  readonly name: string;
  /** The text of its comment, without the comment's marks. */
  readonly comment: string;
  /** TypeScript, with the comments of members. */
  readonly code: string;
}

/** The files of the API reference, each with what writes it from the packages' emitted declarations. */
export const API_PAGES = [
  { path: "docs/api/README.md", render: renderIndex },
  ...PAGES.map((page) => ({ path: `docs/api/${page.name}.md`, render: () => renderPage(page) })),
];

function renderIndex(): string {
  const lines = PAGES.map(
    ({ name, title, specifier, about }) => `- [${title}](${name}.md) (\`${specifier}\`): ${about}`,
  );
  return `# API reference\n\nWritten by \`npm run docs\` from the doc comments.\n\n${lines.join("\n")}\n`;
}

async function renderPage({ title, about, specifier, entry, only }: ApiPage): Promise<string> {
  const declarations = (await exportsOf(join(root, entry))).filter(({ name }) => only?.includes(name) ?? true);
  const missing = only?.filter((name) => !declarations.some((one) => one.name === name)) ?? [];
  if (missing.length > 0) throw new Error(`${entry} does not export ${missing.join(", ")}`);
  const names = [...new Set(declarations.map(({ name }) => name))];
  const sections = names.map((name) => {
    const all = declarations.filter((one) => one.name === name);
    const comments = all.map(({ comment }) => comment).filter((comment) => comment !== "");
    const code = all.map((one) => one.code).join("\n");
    return [`## ${name}`, ...comments, `\`\`\`ts\n${code}\n\`\`\``].join("\n\n");
  });
  const head = `# ${title}\n\n${about}\n\nImported from \`${specifier}\`. Written by \`npm run docs\` from the doc comments.`;
  return `${[head, ...sections].join("\n\n")}\n`;
}

/** What a file of declarations exports, itself or from another file of its package or another package, in its order. */
async function exportsOf(file: string): Promise<readonly Declaration[]> {
  const text = await readFile(file, "utf8");
  const all: Declaration[] = [];
  for (const statement of splitStatements(text)) {
    const again = /^export (?:type )?\{([^}]*)\} from "([^"]+)";$/s.exec(statement.code);
    if (again === null) {
      const declared = /^export (?:declare )?(?:abstract )?(?:function|const|class|interface|type) (\w+)/.exec(
        statement.code,
      );
      if (declared?.[1] === undefined) continue;
      const code = statement.code.replace(/^export (declare )?/, "").replaceAll(/^ +#?private;\n/gm, "");
      all.push({ name: declared[1], comment: statement.comment, code: code.replaceAll(/^( {4})+/gm, halve) });
      continue;
    }
    const [, names = "", from = ""] = again;
    const source = resolveDeclarations(from, file);
    // What another project declares has its own reference.
    if (source === undefined) continue;
    const exported = await exportsOf(source);
    for (const name of names.split(",").map((each) => each.trim().replace(/^type /, ""))) {
      all.push(...exported.filter((one) => one.name === name));
    }
  }
  return all;
}

/** TypeScript indents what it writes by four. */
const halve = (indent: string): string => " ".repeat(indent.length / 2);

function resolveDeclarations(specifier: string, from: string): string | undefined {
  const [, own] = /^@flyte-secrets\/(\w+)$/.exec(specifier) ?? [];
  if (own !== undefined) return join(root, "packages", own, "dist/index.d.ts");
  if (!specifier.startsWith(".")) return undefined;
  return join(dirname(from), specifier.replace(/\.[jt]s$/, ".d.ts"));
}

/** The statements of a file as TypeScript writes it: none begins within a line, and none is indented. */
function splitStatements(text: string): readonly { readonly comment: string; readonly code: string }[] {
  const statements: { comment: string; code: string }[] = [];
  let comment: string[] = [];
  let code: string[] = [];
  let isComment = false;
  for (const line of text.split("\n")) {
    if (code.length === 0 && (isComment || line.startsWith("/**"))) {
      comment = isComment ? [...comment, line] : [line];
      isComment = !line.endsWith("*/");
      continue;
    }
    if (line === "" || line.startsWith("//")) continue;
    code.push(line);
    if (!/^\S.*[;}]$|^[;}]$/.test(line) || !isBalanced(code)) continue;
    statements.push({ comment: textOfComment(comment), code: code.join("\n") });
    comment = [];
    code = [];
  }
  return statements;
}

function isBalanced(code: readonly string[]): boolean {
  const text = code
    .join("\n")
    .replaceAll(/\/\*.*?\*\//gs, "")
    .replaceAll(/"[^"\n]*"/g, "");
  const count = (marks: string) => [...text].filter((one) => marks.includes(one)).length;
  return count("{([") === count("})]");
}

function textOfComment(lines: readonly string[]): string {
  return lines
    .map((line) => line.replace(/^\s*\/?\*+\/? ?/, "").replace(/\s*\*\/$/, ""))
    .join("\n")
    .replaceAll(/\{@link\s+(\S+?)\}/g, "`$1`")
    .trim();
}
