import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { decodeText, NOT_TEXT, SecretsError, withinStack } from "@flyte-secrets/core";
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { type Assignment, assignTree } from "./assignment.ts";

/**
 * The assignments in a YAML file, each with the file as it was named and its line.
 * @throws SecretsError `invalid_config` when it cannot be read, is not YAML or has an unknown key in a section of ours.
 */
export function readConfigFile(file: string, cwd: string): Assignment[] {
  return parseConfigText(readBytes(resolve(cwd, file), file), file);
}

/** {@link readConfigFile} of what has been read already. */
export function parseConfigText(bytes: Uint8Array, file: string): Assignment[] {
  const text = decodeText(bytes);
  if (text === undefined) throw new SecretsError("invalid_config", `${file}: ${NOT_TEXT}`);
  const lineCounter = new LineCounter();
  // Not pretty: a pretty error quotes the line, and the line may hold what belongs to somebody else's section.
  // And no warnings, which quote keys.
  const options = { lineCounter, prettyErrors: false, merge: true, logLevel: "error" } as const;
  const document = withinStack(
    () => parseDocument(text, options),
    () => new SecretsError("invalid_config", `${file}: not valid YAML: nested too deeply`),
  );
  const lineAt = (offset: number) => `${file}:${lineCounter.linePos(offset).line}`;
  const [error] = document.errors;
  if (error !== undefined) {
    throw new SecretsError("invalid_config", `${lineAt(error.pos[0])}: not valid YAML (${error.code})`);
  }
  return assignTree(contentOf(document, file), (keys) => lineAt(offsetOf(document, keys)));
}

/** Aliases and merge keys are followed only here. */
function contentOf(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    const reason = "an alias or a merge key leads nowhere";
    throw new SecretsError("invalid_config", `${file}: not valid YAML: ${reason}`, { cause });
  }
}

function readBytes(path: string, file: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error";
    const reason =
      code === "EISDIR" ? "is a directory; name a file or a glob such as DIR/*.yaml" : `cannot be read (${code})`;
    throw new SecretsError("invalid_config", `${file}: ${reason}`, { cause });
  }
}

/** Where the key of a value stands; the last part of the way there that is written out, for what an alias or a merge brings in. */
function offsetOf(document: Document, keys: readonly (string | number)[]): number {
  let node: unknown = document.contents;
  let offset = (document.contents as Node | null)?.range?.[0] ?? 0;
  for (const key of keys) {
    if (isSeq(node) && typeof key === "number") {
      node = node.items[key];
      offset = rangeStart(node) ?? offset;
    } else {
      const pair = isMap(node)
        ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
        : undefined;
      offset = rangeStart(pair?.key) ?? offset;
      node = pair?.value;
    }
  }
  return offset;
}

function rangeStart(node: unknown): number | undefined {
  return (node as Node | undefined)?.range?.[0];
}
