import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { isSecretsError } from "@flyte-secrets/core";
import { listenInTest } from "@flyte-secrets/testkit/vitest";
import { defineResource, type KubeObject, type KubeResource } from "../objects.ts";
import { createMemoryApi, type MemoryApi } from "./memory-api.ts";

/** Kinds by the names that they have in addresses. */
const KINDS: Readonly<Record<string, string>> = {
  secrets: "Secret",
  pods: "Pod",
  namespaces: "Namespace",
  mutatingwebhookconfigurations: "MutatingWebhookConfiguration",
};

const PATH = /^\/apis?\/((?:[a-z0-9.]+\/)?v1)(?:\/namespaces\/([^/]+))?\/([a-z]+)(?:\/([^/]+))?$/;

export interface ServedMemoryApi {
  readonly api: MemoryApi;
  readonly url: string;
  /** Keeps every request such as `POST /api/v1/namespaces` waiting until it is released; tells how many do. */
  hold(request: string): { readonly waiting: () => number; readonly release: () => void };
}

/**
 * An API server in memory behind HTTP, for what connects by itself. It asks nobody for credentials and ends with the
 * test.
 */
export async function serveMemoryApi(): Promise<ServedMemoryApi> {
  const api = createMemoryApi();
  const gates = new Map<string, { readonly promise: Promise<void>; waiting: number }>();
  const server = createServer(async (req, res) => {
    const gate = gates.get(`${req.method} ${req.url?.split("?", 1)[0]}`);
    if (gate !== undefined) {
      gate.waiting++;
      await gate.promise;
    }
    try {
      await answer(api, req, res);
    } catch (error) {
      const [status, reason] = toStatus(error);
      const body = { kind: "Status", apiVersion: "v1", status: "Failure", code: status, reason };
      if (res.headersSent) res.destroy();
      else res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    }
  });
  const url = await listenInTest(server);
  return {
    api,
    url,
    hold(request) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const gate = { promise, waiting: 0 };
      gates.set(request, gate);
      const release = () => {
        gates.delete(request);
        resolve();
      };
      return { waiting: () => gate.waiting, release };
    },
  };
}

async function answer({ client }: MemoryApi, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(req.url ?? "", "http://host");
  const [, apiVersion = "", inNamespace, plural = "", name] = PATH.exec(pathname) ?? [];
  const resource: KubeResource<KubeObject> = defineResource({ apiVersion, kind: KINDS[plural] ?? "", plural });
  // The address of a namespace is not that of a collection in one.
  const [namespace, place] = [inNamespace, { namespace: inNamespace, name }];
  const selection = {
    namespace,
    labelSelector: searchParams.get("labelSelector") ?? undefined,
    fieldSelector: searchParams.get("fieldSelector") ?? undefined,
  };
  const reply = (body: object, status = 200) =>
    res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  if (searchParams.get("watch") !== null) {
    const resourceVersion = searchParams.get("resourceVersion") ?? "0";
    const closed = new AbortController();
    res.once("close", () => closed.abort());
    res.writeHead(200, { "content-type": "application/json" }).flushHeaders();
    const query = { ...selection, resourceVersion, timeoutSeconds: 60 };
    for await (const event of client.watch(resource, query, { signal: closed.signal })) {
      const bookmark = { metadata: { resourceVersion: "resourceVersion" in event ? event.resourceVersion : "" } };
      const object = "object" in event ? event.object : bookmark;
      if (event.type !== "OPENED") res.write(`${JSON.stringify({ type: event.type, object })}\n`);
    }
    return;
  }
  switch (req.method) {
    case "POST":
      reply(await client.create(resource, (await json(req)) as KubeObject), 201);
      return;
    case "PUT":
      reply(await client.replace(resource, (await json(req)) as KubeObject));
      return;
    case "PATCH":
      reply(await client.patch(resource, { ...place, patch: (await json(req)) as object }));
      return;
    case "DELETE":
      reply((await client.delete(resource, place)) ? { kind: "Status" } : toAbsent(), 200);
      return;
  }
  if (name !== undefined) {
    const found = await client.get(resource, place);
    reply(found ?? toAbsent(), found === undefined ? 404 : 200);
    return;
  }
  const limit = Number(searchParams.get("limit") ?? 0) || undefined;
  const {
    items,
    resourceVersion,
    continue: next,
  } = await client.list(resource, {
    ...selection,
    limit,
    continue: searchParams.get("continue") ?? undefined,
  });
  reply({ kind: `${resource.kind}List`, apiVersion, metadata: { resourceVersion, continue: next }, items });
}

const toAbsent = () => ({ kind: "Status", apiVersion: "v1", status: "Failure", code: 404, reason: "NotFound" });

function toStatus(error: unknown): [number, string] {
  if (isSecretsError(error, "already_exists")) return [409, "AlreadyExists"];
  if (isSecretsError(error, "conflict")) return [409, "Conflict"];
  if (isSecretsError(error, "not_found")) return [404, "NotFound"];
  return isSecretsError(error, "invalid_argument") ? [422, "Invalid"] : [500, "InternalError"];
}
