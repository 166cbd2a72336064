import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A recording in asciicast v2 (https://docs.asciinema.org/manual/asciicast/v2/), as `examples/demo/record.ts` writes
 * it.
 */
const RECORDING = join(import.meta.dirname, "../docs/demo.cast");

const FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
const FONT_SIZE = 13;
const CHARACTER_WIDTH = 7.85;
const LINE_HEIGHT = 18;
const MARGIN = 14;
/** Longer pauses of the recording are shortened to this. */
const LONGEST_PAUSE_S = 2;
/** How long the last state stays before it begins again. */
const LAST_STATE_S = 6;

/** Select Graphic Rendition: what the demo uses of it, as attributes of a piece of text. */
const STYLES = new Map([
  ["1", 'font-weight="bold"'],
  ["2", 'fill="#8b949e"'],
  ["32", 'fill="#3fb950"'],
  ["36", 'fill="#58a6ff"'],
]);
const ENDS = new Map([
  ["22", ["1", "2"]],
  ["39", ["32", "36"]],
]);

interface Line {
  /** Seconds from the beginning at which it appears. */
  readonly at: number;
  /** As SVG. */
  readonly content: string;
}

/** `docs/demo.svg`: the recording as an animation that needs no script. Without animation its first lines are shown. */
export function renderDemo(): string {
  return renderRecording(readFileSync(RECORDING, "utf8"));
}

/** A recording as an SVG. Throws for control sequences other than colours and bold. */
export function renderRecording(cast: string): string {
  const [head = "", ...events] = cast.trimEnd().split("\n");
  const { width, height, title }: { width: number; height: number; title: string } = JSON.parse(head);
  const lines = readLines(events.map((event) => JSON.parse(event)));
  const seconds = (lines.at(-1)?.at ?? 0) + LAST_STATE_S;
  const pixels = { width: Math.ceil(width * CHARACTER_WIDTH) + 2 * MARGIN, height: height * LINE_HEIGHT + 2 * MARGIN };
  const all = lines.length * LINE_HEIGHT;
  const shown = keyframes(lines, seconds, (count) => count * LINE_HEIGHT);
  const scrolled = keyframes(lines, seconds, (count) => -Math.max(0, count - height) * LINE_HEIGHT);
  const texts = lines.flatMap(({ content }, index) =>
    content === "" ? [] : [`<text y="${(index + 0.75) * LINE_HEIGHT}" xml:space="preserve">${content}</text>`],
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${pixels.width}" height="${pixels.height}" \
viewBox="0 0 ${pixels.width} ${pixels.height}" role="img" aria-label="${title}">
<style>
text { font: ${FONT_SIZE}px ${FONT}; fill: #e6edf3; white-space: pre }
.cover { transform: translateY(${all}px) }
@media (prefers-reduced-motion: no-preference) {
.cover { animation: reveal ${seconds.toFixed(1)}s step-end infinite }
.screen { animation: scroll ${seconds.toFixed(1)}s step-end infinite }
}
@keyframes reveal { ${shown} }
@keyframes scroll { ${scrolled} }
</style>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<svg x="${MARGIN}" y="${MARGIN}" width="${pixels.width - 2 * MARGIN}" height="${height * LINE_HEIGHT}">
<g class="screen">
${texts.join("\n")}
<rect class="cover" width="100%" height="${all + height * LINE_HEIGHT}" fill="#0d1117"/>
</g>
</svg>
</svg>
`;
}

/** The position, in pixels, of something that moves whenever lines appear. */
function keyframes(lines: readonly Line[], seconds: number, positionOf: (count: number) => number): string {
  const frames = new Map<string, number>([["0.00", positionOf(0)]]);
  for (const [index, { at }] of lines.entries()) frames.set(((100 * at) / seconds).toFixed(2), positionOf(index + 1));
  return [...frames].map(([percent, position]) => `${percent}% { transform: translateY(${position}px) }`).join(" ");
}

function readLines(events: readonly (readonly [number, string, string])[]): Line[] {
  const lines: Line[] = [];
  const style = new Set<string>();
  let at = 0;
  let before = events[0]?.[0] ?? 0;
  let content = "";
  for (const [time, , text] of events) {
    at += Math.min(time - before, LONGEST_PAUSE_S);
    before = time;
    for (const part of text.split(/(\r\n|\p{Cc}\[\d*m)/u)) {
      if (part === "\r\n") {
        lines.push({ at, content });
        content = "";
      } else if (/^\p{Cc}\[\d*m$/u.test(part)) changeStyle(style, part.slice(2, -1));
      else content += toSvg(part, style);
    }
  }
  return content === "" ? lines : [...lines, { at, content }];
}

function changeStyle(style: Set<string>, code: string): void {
  const ended = ENDS.get(code);
  if (ended !== undefined) for (const each of ended) style.delete(each);
  else if (STYLES.has(code)) style.add(code);
  else throw new Error(`The recording has a style that is not drawn: ${code}`);
}

function toSvg(text: string, style: ReadonlySet<string>): string {
  if (text === "") return "";
  if (/\p{Cc}/u.test(text)) throw new Error("The recording moves the cursor, which is not drawn");
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const attributes = [...style].map((code) => STYLES.get(code)).join(" ");
  return attributes === "" ? escaped : `<tspan ${attributes}>${escaped}</tspan>`;
}
