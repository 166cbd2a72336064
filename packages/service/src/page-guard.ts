import { isIP } from "node:net";
import { quote } from "@flyte-secrets/core";
import type { NodeRequest } from "@flyte-secrets/http";
import { avoidLoginPrompt } from "./rpc/connect-errors.ts";

/** The reason to refuse a request that a web page of another site may have sent; undefined when none can have. */
export type PageGuard = (req: NodeRequest) => string | undefined;

/**
 * Protects a server without authentication from cross-site requests and DNS rebinding. Pages of other sites are
 * recognised by `Origin` or `Sec-Fetch-Site`, which browsers set (Fetch standard, W3C Fetch Metadata). A page whose own
 * name was made to resolve to this server (DNS rebinding) is recognised by that name: requests must be sent to
 * `localhost`, to an IP address, to one of `allowedHosts`, or to no host, which no browser does; ports are not
 * compared. A page belongs to this server when it is at the same host and port, or at a name of `allowedHosts` (S-23).
 */
export function createPageGuard(allowedHosts: readonly string[]): PageGuard {
  const allowed = new Set(allowedHosts.map(toName));
  const isOwn = (name: string) => name === "localhost" || isIP(name) !== 0 || allowed.has(name);
  // At an IP address other ports belong to others, whatever is listed.
  const isListed = (name: string) => allowed.has(name) && name !== "localhost" && isIP(name) === 0;
  return (req) => {
    const hosts = hostsOf(req);
    const foreign = hosts.find((host) => !isOwn(toName(host)));
    if (foreign !== undefined) return refuse(`was sent to ${quote(foreign)}, which is no known name of this server`);
    const { origin, "sec-fetch-site": site = "none" } = req.headers;
    if (origin !== undefined) {
      const from = URL.parse(origin);
      const isKnown = from !== null && (isListed(toName(from.host)) || hosts.some((host) => isAt(from, host)));
      return isKnown ? undefined : refuse(`comes from a web page of ${quote(origin)}`);
    }
    return site === "none" || site === "same-origin" ? undefined : refuse("comes from a web page of another site");
  };
}

/** Every host that a request names as its target: HTTP/2 has two fields for it, and a field may be repeated. */
function hostsOf({ rawHeaders }: NodeRequest): string[] {
  const isHost = (name: string | undefined) => name === ":authority" || name?.toLowerCase() === "host";
  return rawHeaders.filter((value, at) => at % 2 === 1 && value !== "" && isHost(rawHeaders[at - 1]));
}

/** A host without its port, brackets and final dot, in lower case. */
function toName(host: string): string {
  const [, address, name] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host) ?? [];
  return (address ?? name ?? host).toLowerCase().replace(/\.$/, "");
}

/** Whether a page's origin is this host, whatever the scheme is: a proxy may have taken TLS off. */
function isAt(origin: URL, host: string): boolean {
  return URL.parse(`${origin.protocol}//${host}`)?.host === origin.host;
}

function refuse(problem: string): string {
  return avoidLoginPrompt(
    `this request ${problem}; with secret.auth.mode none a web page may not call: send requests to localhost or an ` +
      "IP address, list other names of this server in secret.server.allowedHosts, or ask for a token",
  );
}
