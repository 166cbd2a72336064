import { type SecretsError, withinStack } from "@flyte-secrets/core";
import {
  type Document,
  isScalar,
  Lexer,
  LineCounter,
  type Pair,
  type ParsedNode,
  parseAllDocuments,
  type ScalarTag,
  visit,
} from "yaml";

/** A file of 200,000 secrets has 1.6 million; the parser takes some 5 s and 500 MB for as many. */
const MAX_TOKENS = 2_000_000;
/** Kubernetes' objects are less than half as deep. */
const MAX_DEPTH = 100;
/** Each is looked for in the whole document. */
const MAX_ALIASES = 100;

export interface ParseYamlOptions {
  /** Whether `<<` takes in the keys of another map. */
  readonly merge?: boolean;
  /** Read before YAML's own. */
  readonly tags?: readonly ScalarTag[];
  /**
   * The error for a text that is refused. `problem` names rule and line, and never quotes the text, which may hold a
   * value.
   */
  readonly fail: (problem: string) => SecretsError;
}

/**
 * The documents of a YAML stream that somebody else may have written: it takes time and memory in proportion to the
 * text. Refused are, beside what is no YAML: tags other than YAML's own, a key that stands twice in a map, and more
 * than 2,000,000 tokens, 100 levels or 100 aliases, or aliases of aliases that stand for more than that.
 */
export function parseYaml(text: string, { merge = false, tags = [], fail }: ParseYamlOptions): unknown[] {
  const refusal = measure(text);
  if (refusal !== undefined) throw fail(refusal);
  const lineCounter = new LineCounter();
  const customTags = (own: unknown[]) => [...tags, ...own] as ScalarTag[]; // YAML's own are of the same type, and more.
  const parse = () => {
    // The library compares each key of a map with all before it, looks for the lines around each of its errors from the
    // text's beginning, and quotes keys in its warnings.
    const linear = { uniqueKeys: false, prettyErrors: false } as const;
    const documents = parseAllDocuments(text, { merge, customTags, lineCounter, ...linear, logLevel: "error" });
    return (Array.isArray(documents) ? documents : []).map((document) => {
      const problem = findProblem(document, lineCounter);
      if (problem !== undefined) throw fail(problem);
      return contentOf(document, fail);
    });
  };
  return withinStack(parse, () => fail(`nested more than ${MAX_DEPTH} levels deep`));
}

/** Aliases and merge keys are followed only here. */
function contentOf(document: Document.Parsed, fail: ParseYamlOptions["fail"]): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    if (error instanceof RangeError) throw error;
    const isAlias = error instanceof ReferenceError;
    throw fail(isAlias ? "aliases that lead nowhere, or stand for too much" : "a merge key (<<) of what is no map");
  }
}

/** The token before a scalar. */
const TEXT_FOLLOWS = "\u001f";

/** What is too much of the text, before anything is made of it; undefined when nothing is. */
function measure(text: string): string | undefined {
  let [tokens, line, aliases, flowDepth, dashes] = [0, 1, 0, 0, 0];
  let isText = false;
  for (const token of new Lexer().lex(text)) {
    tokens += 1;
    // Text that begins with a bracket opens nothing.
    const first = isText ? "" : token[0];
    isText = token === TEXT_FOLLOWS;
    if (first === "[" || first === "{") flowDepth += 1;
    else if (first === "]" || first === "}") flowDepth -= 1;
    else if (first === "-" || first === "?") dashes += 1;
    else if (first === "*") aliases += 1;
    else if (first === "\n" || first === "\r") dashes = 0;
    if (tokens > MAX_TOKENS) return `more than ${MAX_TOKENS} tokens; split it`;
    if (flowDepth + dashes > MAX_DEPTH) return `nested more than ${MAX_DEPTH} levels deep at line ${line}`;
    if (aliases > MAX_ALIASES) return `more than ${MAX_ALIASES} aliases at line ${line}`;
    for (const character of token) if (character === "\n") line += 1;
  }
  return undefined;
}

function findProblem(document: Document.Parsed, lineCounter: LineCounter): string | undefined {
  // A tag that is not known is a warning to the library, which takes the value as text.
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) return `${problem.code} at line ${lineCounter.linePos(problem.pos[0]).line}`;
  const at = (offset: number) => `at line ${lineCounter.linePos(offset).line}`;
  let found: string | undefined;
  visit(document, {
    Map(_, { items }) {
      const offset = findRepeated(items as Pair<ParsedNode, ParsedNode | null>[]); // As they are after parsing.
      if (offset === undefined) return undefined;
      found = `DUPLICATE_KEY ${at(offset)}`;
      return visit.BREAK;
    },
    Alias(_, alias, path) {
      const target = alias.resolve(document);
      if (target === undefined || !path.includes(target)) return undefined;
      found = `an alias within what it stands for ${at(alias.range?.[0] ?? 0)}`;
      return visit.BREAK;
    },
  });
  return found;
}

/** Where the first key stands that stood before. */
function findRepeated(items: readonly Pair<ParsedNode, ParsedNode | null>[]): number | undefined {
  const seen = new Set<unknown>();
  for (const { key } of items) {
    if (!isScalar(key) || key.value === "<<") continue;
    const name = String(key.value);
    if (seen.has(name)) return key.range[0];
    seen.add(name);
  }
  return undefined;
}
