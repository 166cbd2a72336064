import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { podNamespace } from "./pod-namespace.ts";

test("the namespace is POD_NAMESPACE, the service account's, the configured one or flyte", () => {
  const serviceAccountDirectory = mkdtempSync(join(tmpdir(), "flyte-secrets-account-"));
  onTestFinished(() => rmSync(serviceAccountDirectory, { recursive: true }));
  writeFileSync(join(serviceAccountDirectory, "namespace"), "task-ns\n");
  expect(podNamespace({ env: { POD_NAMESPACE: "pod" }, serviceAccountDirectory, configured: "c" })).toBe("pod");
  expect(podNamespace({ env: { POD_NAMESPACE: "" }, serviceAccountDirectory, configured: "c" })).toBe("task-ns");
  expect(podNamespace({ env: {}, serviceAccountDirectory: "/none", configured: "c" })).toBe("c");
  expect(podNamespace({ env: {}, serviceAccountDirectory: "/none" })).toBe("flyte");
});
