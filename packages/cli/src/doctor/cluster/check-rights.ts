import {
  defineResource,
  isAllowed,
  type KubeClient,
  type KubeObject,
  type NeededRights,
  whoAmI,
} from "@flyte-secrets/kube";
import { writerGrantCommand } from "@flyte-secrets/webhook";
import { type Finding, note, ok, problem } from "../finding.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/subject-access-review-v1/ */
interface AccessReview extends KubeObject {
  readonly spec: object;
  readonly status?: { readonly allowed: boolean };
}

const REVIEWS = defineResource<AccessReview>({
  apiVersion: "authorization.k8s.io/v1",
  kind: "SubjectAccessReview",
  plural: "subjectaccessreviews",
});

export interface CheckRightsOptions {
  readonly client: KubeClient;
  readonly needed: readonly NeededRights[];
  /** Whose rights: `system:serviceaccount:NAMESPACE:NAME`. Undefined: those of the client itself. */
  readonly account: string | undefined;
}

/** Whether an account may do all that is needed; one finding for each kind of object where it may not. */
export async function checkRights({ client, needed, account }: CheckRightsOptions): Promise<Finding[]> {
  const who = account ?? (await whoAmI(client));
  const missing = await Promise.all(
    needed.map(async (rights) => {
      const allowed = await Promise.all(rights.verbs.map((verb) => review({ client, rights, verb, account })));
      return { ...rights, verbs: rights.verbs.filter((_, index) => !allowed[index]) };
    }),
  );
  const refused = missing.filter(({ verbs }) => verbs.length > 0);
  const asked = [...new Set(needed.map(({ component }) => component))];
  const fine = asked.filter(
    (component) => !refused.some((rights) => rights.component === component && !rights.isOptional),
  );
  return [
    ...refused.map((rights) => toFinding(who, rights)),
    ...fine.map((component) => ok(`${who} has every right that the ${component} needs`)),
    ...(account !== undefined || who.startsWith(SERVICE_ACCOUNTS)
      ? []
      : [note(`--as ${SERVICE_ACCOUNTS}NAMESPACE:NAME looks at an account's rights`)]),
  ];
}

const SERVICE_ACCOUNTS = "system:serviceaccount:";

interface Question extends Pick<CheckRightsOptions, "client" | "account"> {
  readonly rights: NeededRights;
  readonly verb: string;
}

async function review({ client, account, rights, verb }: Question): Promise<boolean> {
  const { group, resource, namespace, name } = rights;
  const resourceAttributes = { verb, group, resource, namespace, name };
  if (account === undefined) return await isAllowed(client, resourceAttributes);
  // A question to the API server has no name.
  const { apiVersion, kind } = REVIEWS;
  const question = { apiVersion, kind, metadata: { name: "" }, spec: { resourceAttributes, ...subject(account) } };
  const { status } = await client.create(REVIEWS, question);
  return status?.allowed === true;
}

/** With the groups that the API server gives a service account when it calls. */
function subject(user: string) {
  const [namespace, name] = user.startsWith(SERVICE_ACCOUNTS) ? user.slice(SERVICE_ACCOUNTS.length).split(":") : [];
  const groups = ["system:authenticated"];
  if (name !== undefined) groups.push("system:serviceaccounts", `system:serviceaccounts:${namespace}`);
  return { user, groups };
}

function toFinding(who: string, rights: NeededRights): Finding {
  const { component, verbs, group, resource, namespace, name, isWriters = false, isOptional = false, purpose } = rights;
  const what = `${verbs.join(", ")} ${resource}${name === undefined ? "" : ` named ${name}`}`;
  const where = namespace === undefined ? "of all namespaces" : `of namespace ${namespace}`;
  const scope = group === "" ? ` ${where}` : "";
  const role = group === "" && namespace !== undefined ? `Role in namespace ${namespace}` : "ClusterRole";
  const names = name === undefined ? "" : `, resourceNames: [${name}]`;
  const rule = `{apiGroups: ["${group}"], resources: [${resource}], verbs: [${verbs.join(", ")}]${names}}`;
  if (isOptional) {
    return note(
      `${who} may not ${what}${scope}: the ${component} works, but cannot ${purpose}. ` +
        `To change that, give it, by a ${role}, the rule ${rule}`,
    );
  }
  return problem(
    `${who} may not ${what}${scope}, which the ${component} needs to ${purpose}`,
    isWriters && namespace !== undefined
      ? writerGrantCommand({ namespace, account: who })
      : `give it, by a ${role}, the rule ${rule}`,
  );
}
