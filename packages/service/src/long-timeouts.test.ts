import { expect, onTestFinished, test, vi } from "vitest";
import { send, sendHttp2 } from "./testing/send.ts";
import { startTestService } from "./testing/start-test-service.ts";

const LIST = "/flyteidl2.secret.SecretService/ListSecrets";
const GRPC = { "content-type": "application/grpc", te: "trailers" };

/** Within the ten digits that Connect allows and the eight of gRPC; some are longer than a timer of Node's can wait. */
test.each([
  "2147483647",
  "2147483648",
  "9999999999",
])("a Connect call that may take %s ms is answered", async (limit) => {
  const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
  onTestFinished(() => void warn.mockRestore());
  const { url } = await startTestService();
  const headers = { "content-type": "application/json", "connect-timeout-ms": limit };
  expect((await send(url + LIST, { method: "POST", headers, body: ["{}"] })).status).toBe(200);
  expect((await send(`${url}${LIST}s`, { method: "POST", headers, body: ["{}"] })).status).toBe(501);
  expect(warn).not.toHaveBeenCalled();
});

test.each([
  "596H",
  "597H",
  "99999999H",
  "99999999M",
  "99999999S",
  "99999999m",
])("a gRPC call that may take %s is answered", async (limit) => {
  const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
  onTestFinished(() => void warn.mockRestore());
  const { url } = await startTestService();
  const headers = { ...GRPC, "grpc-timeout": limit };
  const { trailers } = await sendHttp2(url + LIST, { method: "POST", headers, body: [Buffer.alloc(5)] });
  expect(trailers).toMatchObject({ "grpc-status": "0" });
  expect(warn).not.toHaveBeenCalled();
});
