import { expect, test } from "vitest";
import vectors from "../../testkit/testdata/vectors/names.json" with { type: "json" };
import { kubernetesSecretName, managedLabels } from "./kubernetes-names.ts";

test.each(vectors.identifiers)("$encodedId is kept in $kubernetesName", ({
  kubernetesName,
  org,
  domain,
  project,
  name,
}) => {
  expect(kubernetesSecretName({ org, domain, project, name })).toBe(kubernetesName);
});

test("the labels name domain and project where they are set", () => {
  const id = { org: "flyte", domain: "dev", project: "p", name: "k" };
  expect(managedLabels(id)).toEqual({
    "app.flyte.org/managed": "true",
    "app.flyte.org/domain": "dev",
    "app.flyte.org/project": "p",
  });
  expect(managedLabels({ ...id, project: "" })).toEqual({
    "app.flyte.org/managed": "true",
    "app.flyte.org/domain": "dev",
  });
  expect(managedLabels({ ...id, domain: "", project: "" })).toEqual({ "app.flyte.org/managed": "true" });
});
