import { globSync } from "node:fs";
import { join, relative } from "node:path";
import type { Node, SourceFile } from "typescript/unstable/ast";
import {
  isCallExpression,
  isIdentifier,
  isNewExpression,
  isNoSubstitutionTemplateLiteral,
  isRegularExpressionLiteral,
  isStringLiteral,
  isTemplateExpression,
  isVariableDeclaration,
} from "typescript/unstable/ast/is";
import { API } from "typescript/unstable/sync";

/** A regular expression of a source file. */
export interface FoundExpression {
  /** Below the repository's root. */
  readonly file: string;
  /** As it is written there. */
  readonly text: string;
  /** Undefined where it is put together of what is known only when the program runs. */
  readonly pattern: RegExp | undefined;
}

/** Sources that ship. */
const SHIPPED = /^packages\/[^/]+\/src\/(?!.*\.test\.ts$|(?:.*\/)?testing\/).*\.ts$/;

/**
 * Every regular expression of what the packages ship: literals, and what is made with `RegExp`. Read by TypeScript's
 * own parser.
 */
export function findExpressions(root: string): FoundExpression[] {
  const api = new API({ cwd: root });
  try {
    const openProjects = globSync("packages/*/tsconfig.json", { cwd: root }).map((path) => join(root, path));
    const files = new Map<string, SourceFile>();
    for (const { program } of api.updateSnapshot({ openProjects }).getProjects()) {
      for (const name of program.getSourceFileNames()) {
        const path = relative(root, name);
        const file = SHIPPED.test(path) && !files.has(path) ? program.getSourceFile(name) : undefined;
        if (file) files.set(path, file);
      }
    }
    const constants = new Map([...files.values()].flatMap((file) => [...textsOf(file, new Map())]));
    return [...files].flatMap(([path, file]) =>
      expressionsIn(file, path, new Map([...constants, ...textsOf(file, constants)])),
    );
  } finally {
    api.close();
  }
}

type Texts = ReadonlyMap<string, string>;

/** Names that stand for a text. */
function textsOf(file: SourceFile, known: Texts): Texts {
  const texts = new Map<string, string>();
  walk(file, (node) => {
    if (!isVariableDeclaration(node) || !isIdentifier(node.name) || !node.initializer) return;
    const text = textOf(node.initializer, new Map([...known, ...texts]));
    if (text !== undefined) texts.set(node.name.text, text);
  });
  return texts;
}

function expressionsIn(file: SourceFile, path: string, texts: Texts): FoundExpression[] {
  const found: FoundExpression[] = [];
  walk(file, (node) => {
    if (isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf("/");
      found.push({
        file: path,
        text: node.text,
        pattern: new RegExp(node.text.slice(1, end), node.text.slice(end + 1)),
      });
    }
    if (!(isNewExpression(node) || isCallExpression(node)) || !isIdentifier(node.expression)) return;
    if (node.expression.text !== "RegExp") return;
    const [source, flags] = (node.arguments ?? []).map((argument) => textOf(argument, texts));
    const isWhole = source !== undefined && (flags !== undefined || node.arguments?.length === 1);
    found.push({ file: path, text: node.getText(file), pattern: isWhole ? new RegExp(source, flags) : undefined });
  });
  return found;
}

function textOf(node: Node, texts: Texts): string | undefined {
  if (isStringLiteral(node) || isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (isIdentifier(node)) return texts.get(node.text);
  if (!isTemplateExpression(node)) return undefined;
  const parts = node.templateSpans.map(({ expression, literal }) => {
    const part = textOf(expression, texts);
    return part === undefined ? undefined : part + literal.text;
  });
  return parts.includes(undefined) ? undefined : node.head.text + parts.join("");
}

function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  node.forEachChild((child) => walk(child, visit));
}
