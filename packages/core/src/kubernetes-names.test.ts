import fc from "fast-check";
import { expect, test } from "vitest";
import vectors from "../../testkit/testdata/vectors/names.json" with { type: "json" };
import {
  cleanLabelValue,
  imagePullLabels,
  imagePullSecretName,
  isImagePullSecretName,
  kubernetesSecretName,
  managedLabels,
} from "./kubernetes-names.ts";

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

test.each(vectors.identifiers)("$encodedId is kept in $imagePullName", ({
  imagePullName,
  org,
  domain,
  project,
  name,
}) => {
  expect(imagePullSecretName({ org, domain, project, name })).toBe(imagePullName);
  expect(isImagePullSecretName(imagePullName)).toBe(true);
});

test.each([
  "img-pull-",
  "img-pull-0123456789abcde",
  "img-pull-0123456789ABCDEF",
  "my-img-pull-0123456789abcdef",
])("%s is called otherwise", (name) => {
  expect(isImagePullSecretName(name)).toBe(false);
});

test("the labels carry every part, cleaned", () => {
  expect(imagePullLabels({ org: "flyte", domain: "", project: "", name: "_registry_" })).toEqual({
    "union.ai/secret-type": "image-pull-secret",
    "union.ai/org": "flyte",
    "union.ai/project": "none",
    "union.ai/domain": "none",
    "union.ai/secret-name": "xregistryx",
  });
});

test.each(vectors.labelValues)("label value $value becomes $label", ({ value, label }) => {
  expect(cleanLabelValue(value)).toBe(label);
});

test("a character beyond the basic plane is one character", () => {
  expect(cleanLabelValue("a😀b")).toBe("a-b");
});

test("any text becomes a label value that Kubernetes takes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 80 }), (value) => {
      expect(cleanLabelValue(value)).toMatch(/^[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/);
    }),
  );
});
