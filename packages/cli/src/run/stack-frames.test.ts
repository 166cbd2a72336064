import { describe, expect, it } from "vitest";
import { userFrames } from "./stack-frames.ts";

const framesOf = (message: string, stack: string) => userFrames({ name: "Error", message, stack });

describe("the frames of a stack", () => {
  it("are those of the user's files, whatever their names are", () => {
    const stack = `Error: with a line
    at that looks like one of them
    at f (/home/me/a.ts:1:2)
    at /home/me/b (copy)/c.mjs:3:4
    at async file:///home/me/d%20e.mjs:5:6
    at async Promise.all (index 0)
    at async Shop.buy (file:///home/me/shop.mjs?v=1:7:8)
    at new Shop (/home/me/b (copy)/shop.mjs:9:10)
    at Object.<anonymous> (/home/me/plain.cjs:11:12)
    at [a (b)] (/home/me/odd.mjs:13:14)
    at Array.map (<anonymous>)
    at node:internal/modules/esm/loader:647:26
    at Module._load (node:internal/modules/cjs/loader:1443:12)`;
    expect(
      framesOf("with a line", stack).map(({ name, file, line, column }) => `${name} ${file} ${line} ${column}`),
    ).toEqual([
      "f /home/me/a.ts 1 2",
      " /home/me/b (copy)/c.mjs 3 4",
      " /home/me/d e.mjs 5 6",
      "Shop.buy /home/me/shop.mjs 7 8",
      "new Shop /home/me/b (copy)/shop.mjs 9 10",
      " /home/me/plain.cjs 11 12",
    ]);
  });

  it("leave out the function that the compiler puts around a CommonJS module", () => {
    const stack = `Error: x
    at make (/home/me/a.ts:2:40)
    at <anonymous> (/home/me/a.ts:7:22)
    at Object.<anonymous> (/home/me/a.ts:9:1)
    at Object.<anonymous> (/home/me/b.ts:1:8)`;
    expect(framesOf("x", stack).map(({ file, line }) => `${file}:${line}`)).toEqual([
      "/home/me/a.ts:2",
      "/home/me/a.ts:7",
      "/home/me/b.ts:1",
    ]);
  });

  it("leave out this project's and the compiler's, and keep those of other packages", () => {
    const at = import.meta.filename;
    const tsx = `${import.meta.dirname}/../../../../node_modules/tsx/dist/cli.mjs`;
    const yaml = `${import.meta.dirname}/../../../../node_modules/yaml/dist/index.js`;
    const stack = `Error\n    at a (${at}:1:1)\n    at b (${tsx}:1:1)\n    at c (${yaml}:1:1)`;
    expect(framesOf("", stack).map(({ name }) => name)).toEqual(["c"]);
  });
});
