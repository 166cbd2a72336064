import fc from "fast-check";

const PIECES = [
  ...[
    "'",
    '"',
    "`",
    "\\",
    "$",
    "{",
    "}",
    "#",
    " #",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\r",
    "=",
    ":",
    "-",
    ".",
    "_",
    "!",
    "%",
    "''",
  ],
  ...[
    "A",
    "B",
    "x",
    "n",
    "r",
    "c",
    "0",
    "1",
    "é",
    "export",
    "export ",
    "\\n",
    "\\r",
    "\\\\",
    "\\'",
    '\\"',
    "$A",
    "$$",
    "$1",
    "$".concat("{A}"),
  ],
  ...['{"a": 1}', "\u00a0", "\u2028", "\u0085", "\u001b", "\u001c", "\v", "\ufeff", "\0"],
];
const text = (pieces: readonly string[], maxLength: number) =>
  fc.array(fc.constantFrom(...pieces), { maxLength }).map((parts) => parts.join(""));

const anything = text(PIECES, 8);
const usual = text(
  ["a", "b", " ", "#", "$", "\\", "x", "1", "/", ":", "@", "=", "{", "}", "'", '"', "`", "\\n", "é"],
  8,
);
const variable = fc.constantFrom("A", "B", "C", "D_1", "a-b", "x.y", "E", "export", "__proto__");
const before = fc.constantFrom("", "", "export ", "export\t", " ");
const line = fc.oneof(
  fc.tuple(variable, fc.constantFrom("=", " = ", "= ", " ="), usual),
  fc.tuple(variable, fc.constant("='"), usual, fc.constantFrom("'", "' ", "' # c", "'#c", "'x")),
  fc.tuple(before, variable, fc.constant('="'), anything, fc.constantFrom('"', '" ', '" # c', '"#c', '"x')),
  fc.tuple(before, variable, fc.constant("="), anything),
  fc.tuple(fc.constantFrom("# ", "#", " #"), anything),
  fc.tuple(anything),
  fc.constant([]),
);

/** Texts that look like `.env` files, most of them with something in them that readers take differently. */
export const dotenvFiles = fc
  .tuple(fc.array(line, { minLength: 1, maxLength: 4 }), fc.constantFrom("\n", "\n", "\n", "\r\n"))
  .map(([lines, end]) =>
    lines
      .map((parts) => parts.join("") + end)
      .join("")
      .toWellFormed(),
  );

/** Values of secrets, most of them with something in them that one reader or another takes for more than itself. */
export const dotenvValues = fc.oneof(
  anything,
  usual,
  fc.constantFrom(
    "it's",
    "touch PWNED #'",
    "$(touch PWNED)",
    "`touch PWNED`",
    "a\\",
    "!!",
    "~",
    "*",
    '{"a":"it\'s $5"}',
  ),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 20 }),
);

/** Names that secrets can have. */
export const secretNames = fc.oneof(
  fc.stringMatching(/^[A-Za-z_][-A-Za-z0-9_]{0,8}$/),
  fc.stringMatching(/^[-A-Za-z0-9_]{1,8}$/),
  fc.constantFrom(
    "openai-key",
    "OPENAI_KEY",
    "__proto__",
    "PATH",
    "_",
    "UID",
    "constructor",
    "1st",
    "-",
    "export",
    "if",
  ),
);

/** Entries by readers' names, in a form that can be compared. */
export function sortedEntries(values: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(values).sort(([one], [other]) => (one < other ? -1 : 1));
}
