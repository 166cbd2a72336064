import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { HELM_PROGRAM, requireHelm } from "../installation/helm.ts";
import { type Cluster, requireKubernetes, startCluster } from "../kubernetes/cluster.ts";
import { describeWith } from "../support/requirement.ts";
import { followPage } from "./follow-page.ts";
import { root } from "./page-blocks.ts";
import { API_SERVER_PAGES } from "./page-lists.ts";
import { openPageShell } from "./page-shell.ts";

const helm = requireHelm();

describeWith(helm.missing ? helm : requireKubernetes(), "a cluster", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.close());

  test.each(Object.entries(API_SERVER_PAGES))("%s works as printed", { timeout: 900_000 }, async (page, plan) => {
    const shell = openPageShell();
    onTestFinished(() => shell.close());
    const programs = [cluster.programs, dirname(HELM_PROGRAM)].join(delimiter);
    // As somebody in the checkout has it, but that files of the page don't land there.
    const given =
      `export PATH="${programs}:$PATH"; mkdir ~/.kube; cp ${cluster.adminKubeconfig} ~/.kube/config; ` +
      `ln -s ${join(root, "deploy")} deploy`;
    const prepared = await shell.run(given);
    expect(prepared, prepared.stderr).toMatchObject({ exitCode: 0 });
    await followPage(page, { shell, plan });
  });
});
