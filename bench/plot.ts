import { type Cell, formatNumber, toNumber } from "./table.ts";

interface Axis {
  /** With its unit, such as `CPU, µs a call`. */
  readonly label: string;
  /** `log` where values span decades: all must be above 0 then. */
  readonly scale: "linear" | "log";
}

/** One line. */
export interface Series {
  readonly name: string;
  /** Drawn dashed: what ours is compared with. */
  readonly isReference?: boolean;
  /** Which colour it has. Default: its place among the series. Ours and its reference may have the same one. */
  readonly colour?: number;
  /** Cells without a number are left out; of several rounds, a bar shows the lowest and the highest. */
  readonly points: readonly { readonly x: number; readonly y: Cell | undefined }[];
}

/** A picture of results. */
export interface Plot {
  /** Of its file, without the extension. */
  readonly name: string;
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

/** A picture of one number for each of several things. */
export interface BarPlot {
  readonly name: string;
  readonly title: string;
  readonly value: Axis;
  readonly bars: readonly { readonly name: string; readonly isReference?: boolean; readonly value: Cell | undefined }[];
}

const WIDTH = 760;
const CHARACTER = 6.6;
/** Told apart by people who cannot tell red from green, on white and on black. */
const COLOURS = ["#0f83d6", "#d9730d", "#1a9c72", "#c2559d", "#a38600", "#7a6ff0", "#d0483e", "#6b8e9f"];
/** An SVG in a page follows the reader's colour scheme by itself. */
const STYLE = `
  .ground { fill: #ffffff } text { fill: #3d444d } .strong { fill: #1f2328; font-weight: 600 } .grid { stroke: #d9dee3 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } text { fill: #b6bec8 } .strong { fill: #f0f6fc } .grid { stroke: #30363d }
  }`;

/** The plot as an SVG document. */
export function drawPlot({ title, x, y, series }: Plot): string {
  const known = series.map((each) => ({
    ...each,
    points: each.points.filter((point) => toNumber(point.y) !== undefined),
  }));
  const legendWidth = 34 + CHARACTER * Math.max(...known.map(({ name }) => name.length));
  const area = { left: 74, top: 58, width: WIDTH - 74 - 20 - legendWidth, height: 300 };
  const scaleX = createScale(
    x,
    known.flatMap(({ points }) => points.map((point) => point.x)),
    [area.left, area.left + area.width],
  );
  const scaleY = createScale(
    y,
    known.flatMap(({ points }) => points.flatMap((point) => ends(point.y))),
    [area.top + area.height, area.top],
  );
  const below = area.top + area.height;
  const parts = [
    ...scaleY.ticks.map((tick) => {
      const at = scaleY.toPixel(tick);
      return `<path class="grid" d="M${area.left} ${at}h${area.width}"/>${text({ x: area.left - 7, y: at + 4, anchor: "end" }, formatTick(tick))}`;
    }),
    ...scaleX.ticks.map((tick) => {
      const at = scaleX.toPixel(tick);
      return `<path class="grid" d="M${at} ${below}v5"/>${text({ x: at, y: below + 19, anchor: "middle" }, formatTick(tick))}`;
    }),
    text({ x: area.left + area.width / 2, y: below + 40, anchor: "middle" }, x.label),
    text({ x: area.left, y: area.top - 9, anchor: "start" }, y.label),
  ];
  for (const [index, { name, isReference, colour = index, points }] of known.entries()) {
    const stroke = `stroke="${COLOURS[colour % COLOURS.length]}"${isReference ? ' stroke-dasharray="6 4"' : ""}`;
    const fill = `fill="${COLOURS[colour % COLOURS.length]}"`;
    const at = points.map((point) => ({
      x: scaleX.toPixel(point.x),
      ys: ends(point.y).map(scaleY.toPixel),
      y: scaleY.toPixel(toNumber(point.y) ?? 0),
    }));
    parts.push(
      `<path d="M${at.map((point) => `${point.x} ${point.y}`).join("L")}" fill="none" stroke-width="2" ${stroke}/>`,
    );
    for (const point of at) {
      const [first, last] = point.ys;
      // Beside each other, where several lines have a point.
      const barX = point.x + 3 * (index - (known.length - 1) / 2);
      if (first !== last) parts.push(`<path d="M${barX} ${first}V${last}" ${stroke} opacity="0.55"/>`);
      if (points.length < 20) parts.push(`<circle cx="${point.x}" cy="${point.y}" r="3.2" ${fill}/>`);
    }
    const [left, top] = [area.left + area.width + 16, area.top + 8 + index * 20];
    parts.push(
      `<path d="M${left} ${top}h20" stroke-width="2" ${stroke}/>${text({ x: left + 26, y: top + 4, anchor: "start" }, name)}`,
    );
  }
  return toSvg(title, Math.max(below + 54, area.top + 20 * known.length), parts);
}

/** The bars as an SVG document, one below the other, with their numbers. */
export function drawBars({ title, value, bars }: BarPlot): string {
  const known = bars.flatMap((bar) => {
    const number = toNumber(bar.value);
    return number === undefined ? [] : [{ ...bar, number }];
  });
  const left = 22 + CHARACTER * Math.max(...known.map(({ name }) => name.length));
  const scale = createScale(
    value,
    known.map(({ number }) => number),
    [left, WIDTH - 70],
  );
  const step = 24;
  const below = 44 + step * known.length;
  const parts = [
    ...scale.ticks.map((tick) => {
      const at = scale.toPixel(tick);
      return `<path class="grid" d="M${at} 40V${below}"/>${text({ x: at, y: below + 17, anchor: "middle" }, formatTick(tick))}`;
    }),
    ...known.map(({ name, isReference, number }, index) => {
      const top = 46 + index * step;
      const end = scale.toPixel(number);
      const colour = isReference ? COLOURS[7] : COLOURS[0];
      return `${text({ x: left - 8, y: top + 12, anchor: "end" }, name)}<rect x="${left}" y="${top}" width="${Math.max(1, end - left)}" height="15" rx="2" fill="${colour}"/>${text({ x: Math.max(left, end) + 6, y: top + 12, anchor: "start" }, formatNumber(number))}`;
    }),
    text({ x: (left + WIDTH - 70) / 2, y: below + 38, anchor: "middle" }, value.label),
  ];
  return toSvg(title, below + 52, parts);
}

function toSvg(title: string, height: number, parts: readonly string[]): string {
  const escaped = escapeXml(title);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" font-family="system-ui, sans-serif" font-size="12">
<title>${escaped}</title><style>${STYLE}
</style><rect class="ground" width="${WIDTH}" height="${height}" rx="6"/><text class="strong" x="14" y="22" font-size="14">${escaped}</text>
${parts.join("\n")}
</svg>
`;
}

interface Scale {
  readonly ticks: readonly number[];
  readonly toPixel: (value: number) => number;
}

/**
 * From 0, or on a logarithmic axis from the power of ten below the smallest value above 0, where anything less stands
 * too; to a tick above the greatest.
 */
function createScale({ scale }: Axis, values: readonly number[], [from, to]: readonly [number, number]): Scale {
  const place = (share: number) => Math.round((from + share * (to - from)) * 10) / 10;
  const positive = values.filter((value) => value > 0);
  const most = Math.max(...(positive.length > 0 ? positive : [1]));
  if (scale === "log") {
    const low = Math.floor(Math.log10(Math.min(most, ...positive)));
    const high = Math.max(low + 1, Math.ceil(Math.log10(most)));
    const ticks = Array.from({ length: high - low + 1 }, (_, n) => 10 ** (low + n));
    return { ticks, toPixel: (value) => place((Math.log10(Math.max(value, 10 ** low)) - low) / (high - low)) };
  }
  const power = 10 ** Math.floor(Math.log10(most));
  const step = ([0.2, 0.5, 1, 2].find((each) => most / (each * power) <= 6) ?? 2) * power;
  const count = Math.ceil(most / step);
  const ticks = Array.from({ length: count + 1 }, (_, n) => n * step);
  return { ticks, toPixel: (value) => place(value / (count * step)) };
}

/** Lowest and highest of the rounds. */
function ends(cell: Cell | undefined): [number, number] | [] {
  if (typeof cell === "object") return [cell.min, cell.max];
  return typeof cell === "number" ? [cell, cell] : [];
}

/** `5k` for 5,000. */
function formatTick(value: number): string {
  const short = (number: number) => String(Number(number.toPrecision(3)));
  return value >= 1e6 ? `${short(value / 1e6)}M` : value >= 1e3 ? `${short(value / 1e3)}k` : short(value);
}

function text({ x, y, anchor }: { x: number; y: number; anchor: "start" | "middle" | "end" }, content: string): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${escapeXml(content)}</text>`;
}

const escapeXml = (content: string) => content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
