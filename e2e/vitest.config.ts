import { defineConfig } from "vitest/config";
import { AttackTable } from "./attacks/attack-table.ts";

export default defineConfig({
  test: {
    include: ["e2e/**/*.test.ts"],
    // Real programs on few cores: one suite at a time, with room for the slow ones.
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 300_000,
    reporters: ["default", new AttackTable()],
  },
});
