import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { isSecretsError, SecretsError, type SecretValue } from "@flyte-secrets/core";
import { Secret } from "@flyte-secrets/sdk/remote";
import type { Server } from "@modelcontextprotocol/sdk/server/index.js";
import type { CliContext } from "../context.ts";
import { checkSecretOptions, describeScope, type ScopeOptions } from "../options/secret-options.ts";
import { shellWord } from "../options/shell-word.ts";
import { openClient } from "../remote/open-client.ts";
import { describeTarget, findWriteTarget, type Target } from "../remote/target.ts";
import { secretExists } from "../secrets/expect-secret.ts";
import { type EntryPage, openEntryPage, type PageEnd } from "./entry-page.ts";
import { scopeFlags, targetFlags } from "./flags.ts";
import type { McpOptions } from "./serve-mcp.ts";
import type { ToolAnswer } from "./tool-command.ts";

export interface SecretRequest extends Required<ScopeOptions> {
  readonly name: string;
  /** The agent's words. */
  readonly reason: string | undefined;
}

export interface SecretRequests {
  /**
   * Has the person at this machine enter the value of a secret, and says what has become of it. A second call for a
   * secret whose page is still open waits for that page.
   */
  ask(request: SecretRequest): Promise<ToolAnswer>;
  /** Closes the pages that are open. */
  close(): Promise<void>;
}

export interface SecretRequestsOptions {
  readonly options: McpOptions;
  readonly cli: CliContext;
  /** How long a call waits for the person. Default 30 s: many clients give up on a tool after 60 s. */
  readonly waitMs?: number | undefined;
}

const WAIT_MS = 30_000;
/** As long as a page is open. */
const ELICITATION_MS = 600_000;
/** Open at a time. */
const MAX_PAGES = 4;

export function createSecretRequests(
  server: Server,
  { options, cli, waitMs = WAIT_MS }: SecretRequestsOptions,
): SecretRequests {
  const pages = new Map<string, Promise<EntryPage>>();

  async function open(request: SecretRequest, target: Target): Promise<EntryPage> {
    const { name, project, domain, reason } = request;
    const openScope = () => openClient(target, { project, domain, cli, mayCreateStore: true });
    const exists = async () => {
      await using client = await openScope();
      return await secretExists({ name, options: { project, domain }, client });
    };
    const save = async (value: SecretValue, mayReplace: boolean) => {
      await using client = await openScope();
      try {
        await Secret.create({ client, name, value });
        return "created";
      } catch (error) {
        if (!isSecretsError(error, "already_exists")) throw error;
      }
      if (!mayReplace) return "exists";
      await Secret.update({ client, name, value });
      return "replaced";
    };
    const agent = server.getClientVersion()?.name ?? "an agent";
    const place = describeTarget(target, cli);
    const shown = { name, scope: describeScope(request), place, agent, reason };
    return await openEntryPage({ ...shown, exists: (await exists()) ?? false, save });
  }

  /** Has the client show the page's address; the page is closed when the person, or the client, doesn't want to. */
  function show(page: EntryPage, { name }: SecretRequest): void {
    const elicitationId = randomUUID();
    const message = `Enter the value of secret ${name} on a page of this machine. The agent does not see it.`;
    const isOver = new AbortController();
    server
      .elicitInput(
        { mode: "url", message, url: page.url, elicitationId },
        { signal: isOver.signal, timeout: ELICITATION_MS },
      )
      .then(
        ({ action }) => (action === "accept" ? undefined : page.close("declined")),
        () => page.close("not shown"),
      );
    page.ended
      .then(async () => {
        isOver.abort();
        await server.createElicitationCompletionNotifier(elicitationId)();
      })
      .catch(() => {}); // The client has gone.
  }

  return {
    async ask(request) {
      checkSecretOptions(request, request.name, true);
      const target = await findWriteTarget(options, cli);
      if (server.getClientCapabilities()?.elicitation?.url === undefined)
        return toAnswer("not shown", request, options);
      const id = [request.domain, request.project, request.name].join("/");
      let page = pages.get(id);
      if (page === undefined) {
        if (pages.size >= MAX_PAGES) {
          throw new SecretsError(
            "limit_exceeded",
            `${MAX_PAGES} secrets are being asked for already; wait for one of them`,
          );
        }
        page = open(request, target);
        pages.set(id, page);
        const forget = () => pages.delete(id);
        page
          .then(async (opened) => {
            show(opened, request);
            await opened.ended;
          })
          .then(forget, forget);
      }
      const { ended } = await page;
      const end = await Promise.race([ended, delay(waitMs, "waiting" as const, { ref: false })]);
      return toAnswer(end, request, options);
    },
    async close() {
      await Promise.allSettled([...pages.values()].map(async (page) => (await page).close("declined")));
    },
  };
}

function toAnswer(status: PageEnd | "waiting", request: SecretRequest, options: McpOptions): ToolAnswer {
  const what = `secret ${request.name} (${describeScope(request)})`;
  const messages: Readonly<Record<typeof status, readonly string[]>> = {
    created: [`the person has created ${what}`],
    replaced: [`the person has given ${what} a new value`],
    declined: [`the person does not want to enter ${what} now`],
    expired: [`nobody has entered ${what}; the page is closed`],
    waiting: [`the page for ${what} is open; call request_secret again to wait on`],
    "not shown": [
      `this client can't show a page. Ask the person to create ${what} in a terminal of their own:`,
      commandFor(request, options),
    ],
  };
  return {
    ok: status === "created" || status === "replaced" || status === "waiting",
    result: { status },
    messages: messages[status],
  };
}

function commandFor(request: SecretRequest, options: McpOptions): string {
  const words = ["flyte-secrets", "create", "secret", request.name, ...scopeFlags(request), ...targetFlags(options)];
  return words.map(shellWord).join(" ");
}
