import type { Secret } from "@flyte-secrets/sdk/remote";
import type { ListFormat } from "../options/secret-options.ts";
import type { Output, StyledText } from "../output.ts";
import type { NamedScope } from "../secrets/new-scope.ts";
import { type Field, renderList, shortTime } from "./render-list.ts";

export interface SecretsRendering {
  readonly format: ListFormat;
  /** For whom: a terminal's width. */
  readonly output: Output;
  /** Whether they are of this user's own store, which has one cluster at most: its columns are left out. */
  readonly isOwn: boolean;
  /** The requested scope; `name` prints the path below it: `DOMAIN/PROJECT/NAME` below the global scope. */
  readonly scope: NamedScope;
}

/** Secrets in any of the formats; what matters to people first. */
export function renderSecrets(secrets: readonly Secret[], options: SecretsRendering): Promise<readonly StyledText[]> {
  return renderList(secrets, options.format, { fields: fieldsFor(secrets, options), output: options.output });
}

/** One secret, as {@link renderSecrets} has it: in JSON and YAML the object itself. */
export function renderSecret(secret: Secret, options: SecretsRendering): Promise<readonly StyledText[]> {
  const fields = fieldsFor([secret], options);
  return renderList([secret], options.format, { fields, object: secret, output: options.output });
}

/** The short table has types only where they differ, and the status only where a secret is missing in a cluster. */
function fieldsFor(secrets: readonly Secret[], { isOwn, scope }: SecretsRendering): Field<Secret>[] {
  const isMixed = secrets.some(({ type }) => type !== "regular");
  const isEverywhere = secrets.every(({ status }) => status === "FULLY_PRESENT");
  const hasClusters = !isOwn || !isEverywhere;
  const knowsUpdates = secrets.some(({ updatedTime }) => updatedTime);
  return [
    { head: "name", of: (secret) => pathFrom(scope, secret), in: ["name"] },
    {
      head: "name",
      of: ({ name }) => name,
      column: { overflow: "cut", isLast: true, style: "cyan" },
    },
    { head: "project", of: ({ project }) => project, column: { overflow: "cut" } },
    { head: "domain", of: ({ domain }) => domain, column: { overflow: "cut" } },
    { head: "type", of: ({ type }) => type, ...(isMixed ? {} : WIDE) },
    { head: "created", of: ({ createdTime }) => createdTime?.toISOString() ?? "", in: ["csv"] },
    { head: "updated", of: ({ updatedTime }) => updatedTime?.toISOString() ?? "", in: ["csv"] },
    // Flyte's own service has no time of the last update.
    {
      head: "created",
      of: ({ createdTime }) => shortTime(createdTime),
      in: knowsUpdates ? ["wide"] : ["wide", "table"],
    },
    { head: "updated", of: ({ updatedTime }) => shortTime(updatedTime), in: knowsUpdates ? ["wide", "table"] : [] },
    ...(hasClusters ? clusterFields(isEverywhere) : []),
  ];
}

function pathFrom(scope: NamedScope, { name, project, domain }: Secret): string {
  const parts = [...(scope.domain ? [] : [domain]), ...(scope.project ? [] : [project]), name];
  return parts.filter((part) => part !== "").join("/");
}

const WIDE = { in: ["wide", "csv"] } as const;

function clusterFields(isEverywhere: boolean): Field<Secret>[] {
  return [
    { head: "status", of: ({ status }) => status, ...(isEverywhere ? WIDE : {}) },
    {
      head: "clusters",
      of: ({ clusterStatus }) => clusterStatus.map(({ cluster, status }) => `${cluster}: ${status}`).join(", "),
      ...WIDE,
      column: { overflow: "fold" },
    },
  ];
}
