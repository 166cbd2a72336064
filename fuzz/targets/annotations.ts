import assert from "node:assert/strict";
import {
  encodeBase32Lower,
  fromRequestAnnotations,
  REQUEST_ANNOTATION_PREFIX,
  toRequestAnnotations,
} from "@flyte-secrets/core";
import { type FuzzTarget, textOf, unlessRefused } from "../target.ts";

const seedOf = (requests: readonly string[]) =>
  JSON.stringify(
    Object.fromEntries(
      requests.map((text, index) => [`${REQUEST_ANNOTATION_PREFIX}${index}`, encodeBase32Lower(text)]),
    ),
  );

/** The annotations of a pod, as a JSON object of texts. */
export const target: FuzzTarget = {
  seeds: [
    seedOf(['key: "a"']),
    seedOf(['group: "g"\nkey: "k"', "", 'key: "x"\nmount_requirement: FILE']),
    '{"flyte.secrets/s10":"","flyte.secrets/s9":"","flyte.secrets/s09":"","flyte.secrets/sx":"me","other":"1"}',
  ],
  dictionary: [
    "flyte.secrets/s",
    "flyte.secrets/s0",
    "flyte.secrets/s00",
    "flyte.secrets/s18446744073709551616",
    encodeBase32Lower('key: "a"'),
    "\\n",
    encodeBase32Lower('group: "b"'),
  ],
  open: () => ({
    run(bytes) {
      const annotations = textMap(textOf(bytes));
      if (!annotations) return;
      const requests = unlessRefused(["invalid_annotation", "invalid_argument", "limit_exceeded"], () =>
        fromRequestAnnotations(annotations),
      );
      if (!requests) return;
      const written = unlessRefused(["invalid_argument"], () => toRequestAnnotations(requests));
      if (written) assert.deepEqual(fromRequestAnnotations(written), requests);
    },
  }),
};

function textMap(text: string): Record<string, string> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null) return undefined;
    return Object.values(parsed).every((value) => typeof value === "string")
      ? (parsed as Record<string, string>)
      : undefined;
  } catch {
    return undefined;
  }
}
