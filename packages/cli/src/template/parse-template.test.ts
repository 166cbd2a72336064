import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describePlace, type Placeholder, parseTemplate, type TemplatePart } from "./parse-template.ts";

const parse = (text: string) => parseTemplate({ file: "a.tpl", bytes: Buffer.from(text) });

/** Texts, and placeholders as `NAME` or `NAME|FORM`. */
const shown = (parts: readonly TemplatePart[]) =>
  parts
    .map((part) => (part.kind === "bytes" ? Buffer.from(part.bytes).toString() : `<${part.name}|${part.form}>`))
    .join("");

describe("a template", () => {
  it.each([
    ['a={{ secret "k" }}\n', "a=<k|raw>\n"],
    ['{{secret "k"}}{{\tsecret\t"g/k"\t}}', "<k|raw><g/k|raw>"],
    ['{{ secret "k" | json }} {{secret "k"|base64}}', "<k|json> <k|base64>"],
    ['{{ "{{" }} .Values.x }} {{"{{"}}', "{{ .Values.x }} {{"],
    ['{{ secret "ключ" }}', "<ключ|raw>"],
    ["}} { { {x} \r\n", "}} { { {x} \r\n"],
    ["", ""],
  ])("%j is %j", (text, parts) => {
    expect(shown(parse(text))).toBe(parts);
  });

  it("keeps every byte around its placeholders", () => {
    const bytes = fc.uint8Array({ max: 0x7a, maxLength: 20 }).map((part) => Buffer.from(part));
    const others = fc.uint8Array({ min: 0x7c, maxLength: 20 }).map((part) => Buffer.from(part));
    const piece = fc.oneof(bytes, others);
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1 }), (pieces) => {
        const placeholder = Buffer.from('{{ secret "k" }}');
        const whole = pieces.flatMap((part, index) => (index === 0 ? [part] : [placeholder, part]));
        // Of which the first two would be a byte order mark.
        fc.pre(!/^(\xff\xfe|\xfe\xff)/.test(Buffer.concat(whole).toString("latin1")));
        const parts = parseTemplate({ file: "a.tpl", bytes: Buffer.concat(whole) });
        const kept = parts.flatMap((part) => (part.kind === "bytes" ? [Buffer.from(part.bytes)] : []));
        expect(kept).toEqual(pieces);
      }),
    );
  });

  const ONE = 'one is {{ secret "KEY" }}, and {{ "{{" }} stands for the braces';
  it.each([
    ["open {{ secret", `a.tpl:1:6: {{ has no }} on its line: ${ONE}`],
    ['x\n\n  {{ secret "k"\n}}', `a.tpl:3:3: {{ has no }} on its line: ${ONE}`],
    ["é𝄞{{", `a.tpl:1:3: {{ has no }} on its line: ${ONE}`],
    ["{{ secrte }}", `a.tpl:1:1: {{ begins no placeholder: ${ONE}`],
    ['\r\n {{ secret "" }}', `a.tpl:2:2: {{ begins no placeholder: ${ONE}`],
    ['{{ secret "k" | yaml }}', `a.tpl:1:1: {{ begins no placeholder: ${ONE}`],
    ['{{{ secret "k" }}', `a.tpl:1:1: {{ begins no placeholder: ${ONE}`],
    ["{{ secret 'k' }}", `a.tpl:1:1: {{ begins no placeholder: ${ONE}`],
    ['{{- secret "k" -}}', `a.tpl:1:1: {{ begins no placeholder: ${ONE}`],
    ["\ufffe{{", "a.tpl is in UTF-16, where placeholders are not found; use UTF-8", "utf16le" as const],
    ["\ufeff{{", "a.tpl is in UTF-16, where placeholders are not found; use UTF-8", "utf16le" as const],
  ])("%j is refused with its place", (text, message, encoding: BufferEncoding = "utf8") => {
    expect(() => parseTemplate({ file: "a.tpl", bytes: Buffer.from(text, encoding) })).toThrow(
      expect.objectContaining({ code: "invalid_argument", message }),
    );
  });

  it("has at most a thousand placeholders", () => {
    const times = (count: number) => '{{secret "k"}}'.repeat(count);
    expect(parse(times(1_000))).toHaveLength(2_001);
    expect(() => parse(times(1_001))).toThrow("a.tpl has more than 1000 placeholders");
  });

  it("says where a placeholder is", () => {
    const template = { file: "dir/\u001b.tpl", bytes: Buffer.from('x\né: {{ secret "k" }}') };
    const [, found] = parseTemplate(template);
    expect(describePlace(template, (found as Placeholder).at)).toBe("dir/\\u001b.tpl:2:4");
  });
});
