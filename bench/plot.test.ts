import { expect, test } from "vitest";
import { drawBars, drawPlot, type Plot } from "./plot.ts";
import { toSpread } from "./table.ts";

const PLOT: Plot = {
  name: "p",
  title: "Gets < 1 ms & more",
  x: { label: "connections", scale: "log" },
  y: { label: "gets/s", scale: "linear" },
  series: [
    {
      name: "ours",
      points: [
        { x: 1, y: 0 },
        { x: 10, y: toSpread([100, 150, 200]) },
        { x: 100, y: 200 },
      ],
    },
  ],
};

/** Centres of the marks. */
function marksOf(svg: string): { x: number; y: number }[] {
  return [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => ({ x: Number(x), y: Number(y) }));
}

test("a logarithmic axis gives each power of ten the same room, a linear one each unit", () => {
  const [first, middle, last] = marksOf(drawPlot(PLOT));
  if (!first || !middle || !last) throw new Error("three marks were to be drawn");
  expect(middle.x - first.x).toBeCloseTo(last.x - middle.x);
  expect((first.y - middle.y) / (first.y - last.y)).toBeCloseTo(0.75);
});

test("the lowest and the highest of several rounds are joined by a bar", () => {
  const svg = drawPlot(PLOT);
  const [first, middle, last] = marksOf(svg);
  const bars = [...svg.matchAll(/<path d="M([\d.]+) ([\d.]+)V([\d.]+)" stroke/g)].map((bar) =>
    bar.slice(1).map(Number),
  );
  const lowest = ((first?.y ?? 0) + (last?.y ?? 0)) / 2;
  expect(bars).toEqual([[middle?.x, lowest, last?.y]]);
});

test("a cell without a number is left out of the line", () => {
  const svg = drawPlot({
    ...PLOT,
    series: [
      {
        name: "ours",
        points: [
          { x: 1, y: 5 },
          { x: 10, y: undefined },
        ],
      },
    ],
  });
  expect(marksOf(svg)).toHaveLength(1);
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
});

test("what is 0 on a logarithmic axis stands at its foot, and a plot of nothing has an axis", () => {
  const drawn = (values: readonly number[]) => {
    const points = values.map((y, n) => ({ x: n + 1, y }));
    return drawPlot({ ...PLOT, y: { label: "µs", scale: "log" }, series: [{ name: "ours", points }] });
  };
  const marks = marksOf(drawn([0, 10, 1000]));
  expect(marks.map(({ y }) => y)).toEqual([358, 358, 58]);
  expect(drawn([])).not.toMatch(/NaN|Infinity/);
});

test("text is escaped", () => {
  expect(drawPlot(PLOT)).toContain("<title>Gets &lt; 1 ms &amp; more</title>");
});

test("a bar is as long as its number, next to which it stands", () => {
  const bars = [
    { name: "one", value: 50 },
    { name: "two", value: toSpread([99, 100, 101]) },
    { name: "none", value: "" },
  ];
  const svg = drawBars({ name: "b", title: "t", value: { label: "ms", scale: "linear" }, bars });
  const [one = 0, two = 0, ...others] = [...svg.matchAll(/height="15" rx="2"/g)].map((_, index) =>
    Number([...svg.matchAll(/<rect x="[\d.]+" y="[\d.]+" width="([\d.]+)"/g)][index]?.[1]),
  );
  expect(two / one).toBeCloseTo(2);
  expect(others).toEqual([]);
  expect(svg).toMatch(/>50<.*>100</s);
});

test("the bars of lines that share their points stand beside each other", () => {
  const [series] = PLOT.series;
  if (series === undefined) throw new Error("the plot has a line");
  const svg = drawPlot({ ...PLOT, series: [series, { ...series, name: "reference" }] });
  const xs = [...svg.matchAll(/<path d="M([\d.]+) [\d.]+V/g)].map(([, x]) => Number(x));
  expect(new Set(xs).size).toBe(2);
});
