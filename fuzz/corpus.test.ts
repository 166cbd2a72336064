import { describe, expect, test } from "vitest";
import { readCorpus, targetNames } from "./corpus-files.ts";
import type { FuzzTarget } from "./target.ts";

describe.each(targetNames())("%s", (name) => {
  test("takes or refuses every input of its corpus as it should be", async () => {
    const { target }: { target: FuzzTarget } = await import(`./targets/${name}.ts`);
    const opened = await target.open();
    const seeds = [...target.seeds, ...(opened.seeds ?? [])].map((seed) => ({
      name: "a seed",
      bytes: Buffer.from(seed),
    }));
    const finds: string[] = [];
    for (const { name: file, bytes } of [...readCorpus(name), ...seeds]) {
      try {
        await opened.run(bytes);
      } catch (error) {
        finds.push(`${file}: ${error}`);
      }
    }
    await opened.close?.();
    expect(finds).toEqual([]);
  });
});
