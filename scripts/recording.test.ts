import { expect, test } from "vitest";
import { renderDemo, renderRecording } from "./recording.ts";

function recordingOf(...events: [number, string][]): string {
  const head = { version: 2, width: 40, height: 2, title: "t" };
  return [head, ...events.map(([time, text]) => [time, "o", text])].map((line) => JSON.stringify(line)).join("\n");
}

test("each line stands where the terminal showed it, in its style, whatever pieces it came in", () => {
  const svg = renderRecording(
    recordingOf([0, "\x1b[32m✓\x1b[39m a "], [0.5, "<b> & c\r\n\r\n"], [1, "\x1b[1mend\x1b[22m\r\n"]),
  );
  expect(svg.match(/<text.*<\/text>/g)).toEqual([
    '<text y="13.5" xml:space="preserve"><tspan fill="#3fb950">✓</tspan> a &lt;b> &amp; c</text>',
    '<text y="49.5" xml:space="preserve"><tspan font-weight="bold">end</tspan></text>',
  ]);
});

test("lines appear at their times, long pauses shortened, and the screen scrolls once it is full", () => {
  const svg = renderRecording(recordingOf([0, "a\r\n"], [1, "b\r\n"], [100, "c\r\n"]));
  expect(svg).toContain(
    "@keyframes reveal { 0.00% { transform: translateY(18px) } 11.11% { transform: translateY(36px) } 33.33% { transform: translateY(54px) } }",
  );
  expect(svg).toContain(
    "@keyframes scroll { 0.00% { transform: translateY(0px) } 11.11% { transform: translateY(0px) } 33.33% { transform: translateY(-18px) } }",
  );
});

test.each([["\x1b[2J"], ["\x1b[31m"], ["a\rb"]])("%j is not drawn wrongly but refused", (text) => {
  expect(() => renderRecording(recordingOf([0, text]))).toThrow("not drawn");
});

test("the recorded demo passed all its checks", () => {
  expect(renderDemo()).toMatch(/✓ all \d+ checks hold/);
});
