import { SecretsError } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { expect, it } from "vitest";
import { explainRefusals } from "./explain-refusals.ts";
import { writerGrantCommand } from "./writer-grant.ts";

const ACCOUNT = "system:serviceaccount:flyte:webhook";

/** A writer that fails so, and an API server that knows the account and what it may do. */
function setUp(failure: SecretsError | undefined, mayWrite: boolean | SecretsError = false) {
  const asked: unknown[] = [];
  const client = {
    async create({ kind }: { kind: string }, object: { spec?: unknown }) {
      asked.push(object.spec ?? kind);
      if (mayWrite instanceof SecretsError) throw mayWrite;
      if (kind === "SelfSubjectReview") return { status: { userInfo: { username: ACCOUNT } } };
      return { status: { allowed: mayWrite } };
    },
  } as unknown as Pick<KubeClient, "create">;
  const fail = () => {
    if (failure !== undefined) throw failure;
  };
  const imagePull = { find: () => undefined, copy: fail };
  const explained = explainRefusals({ client, writer: { write: fail }, imagePull });
  return {
    asked,
    write: () => explained.writer.write("team-x", [], { owners: [] }),
    copy: () => explained.imagePull?.copy("team-x", "img-pull-0", {}),
  };
}

const grant = writerGrantCommand({ namespace: "team-x", account: ACCOUNT });

it("says how to grant what is missing where a namespace isn't listed", async () => {
  const { write, copy } = setUp(new SecretsError("namespace_not_writable", "It isn't listed."));
  const expected = {
    code: "namespace_not_writable",
    message: `It isn't listed. Add it to that list, and give the webhook the right, as the chart does for listed namespaces: ${grant}`,
  };
  await expect(write()).rejects.toMatchObject(expected);
  await expect(copy()).rejects.toMatchObject(expected);
});

it("says so where the account hasn't the right, after asking", async () => {
  const { write, asked } = setUp(new SecretsError("credentials_refused", "We have no permission."));
  await expect(write()).rejects.toMatchObject({
    code: "namespace_not_writable",
    kind: { admission: 400 },
    message: expect.stringContaining(grant),
  });
  expect(asked).toEqual([
    { resourceAttributes: { group: "", verb: "create", resource: "secrets", namespace: "team-x" } },
    "SelfSubjectReview",
  ]);
});

it("leaves a refusal as it is that has another reason, such as a token that is over", async () => {
  const refused = new SecretsError("credentials_refused", "refuses our credentials.");
  await expect(setUp(refused, true).write()).rejects.toBe(refused);
  await expect(setUp(refused, refused).write()).rejects.toBe(refused);
  const full = new SecretsError("too_many_secrets", "full");
  await expect(setUp(full).write()).rejects.toBe(full);
});

it("asks nothing and makes no promise where all is there", () => {
  const { write, copy, asked } = setUp(undefined);
  expect([write(), copy(), asked]).toEqual([undefined, undefined, []]);
});
