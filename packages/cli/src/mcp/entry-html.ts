import { createHash } from "node:crypto";
import { escapeControls } from "@flyte-secrets/core";

/** What the page of a secret shows. All of it but `exists` may be chosen by others. */
export interface EntryForm {
  readonly name: string;
  /** In words: `project shop, domain production`. */
  readonly scope: string;
  /** Where the value is kept. */
  readonly place: string;
  /** What the client calls itself. */
  readonly agent: string;
  /** The agent's own words. */
  readonly reason: string | undefined;
  /** Whether the secret is there: the person has to confirm that its value is replaced. */
  readonly exists: boolean;
  /** Why the last try has failed. */
  readonly problem: string | undefined;
}

const STYLE = `
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; }
  dt { float: left; clear: left; width: 8rem; color: #666; } dd { margin: 0 0 0 8rem; overflow-wrap: anywhere; }
  label { display: block; margin: 1rem 0 0.25rem; } button { font: inherit; margin-top: 1rem; }
  textarea { width: 100%; font: 1rem monospace; -webkit-text-security: disc; }
  .problem { color: #a00; }
`;

/** No script, nothing from elsewhere, no frame around it. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

/** The page with the form. */
export function renderForm({ name, scope, place, agent, reason, exists, problem }: EntryForm): string {
  const rows = {
    Secret: name,
    Scope: scope,
    "Kept in": place,
    "Asked for by": agent,
    ...(reason && { "It says": reason }),
  };
  return renderPage(
    `Secret ${name}`,
    `<h1>Enter the value of secret <code>${escapeHtml(name)}</code></h1>
<dl>${Object.entries(rows)
      .map(([title, text]) => `<dt>${title}</dt><dd>${escapeHtml(text)}</dd>`)
      .join("")}</dl>
<p>A coding agent has asked for it by <code>flyte-secrets mcp</code>. Commands that it runs can use the value; the agent
does not see what you enter here.</p>
${problem ? `<p class="problem" role="alert">${escapeHtml(problem)}</p>\n` : ""}<form method="post" autocomplete="off">
<label for="value">Value</label>
<textarea id="value" name="value" rows="4" required autofocus autocomplete="off" autocapitalize="off" spellcheck="false">
</textarea>
${exists ? `<label><input type="checkbox" name="replace" value="yes" required> Replace the value that it has</label>\n` : ""}<button>Save</button>
</form>`,
  );
}

/** A page with one sentence. */
export function renderNotice(sentence: string): string {
  return renderPage("flyte-secrets", `<p>${escapeHtml(sentence)}</p>`);
}

function renderPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body>
${body}
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return escapeControls(text.slice(0, 500)).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
