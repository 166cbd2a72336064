import { expect, it } from "vitest";
import { parseBindAddress } from "./address.ts";

it.each([
  [":8081", { port: 8081 }],
  ["127.0.0.1:0", { host: "127.0.0.1", port: 0 }],
  ["localhost:65535", { host: "localhost", port: 65_535 }],
  ["[::1]:8081", { host: "::1", port: 8081 }],
  ["", undefined],
  ["0", undefined],
])("%j is %j", (text, address) => {
  expect(parseBindAddress(text, "executor.metricsBindAddress")).toEqual(address);
});

it.each(["8081", ":65536", "::1:80", "host", ":x", ":-1"])("refuses %j, naming the setting", (text) => {
  expect(() => parseBindAddress(text, "executor.metricsBindAddress")).toThrow(
    expect.objectContaining({
      code: "invalid_config",
      message: "executor.metricsBindAddress: must be HOST:PORT such as :8081, or empty for none",
    }),
  );
});
