import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";

const PARAMETERS = ["connect", "encoding", "compression", "base64", "message"];
/** Either alphabet of RFC 4648, with its padding or without. */
const BASE64 = /^(?:[A-Za-z0-9+/]*|[A-Za-z0-9_-]*)={0,2}$/;

/**
 * Rejects queries of a Connect GET that Connect would read as another message than was sent: a repeated parameter, of
 * which it takes the first; percent-encoded bytes that are not UTF-8, which would become other text; and characters
 * that are not base64, which it skips, such as the blank that an unescaped `+` stands for. Other requests pass.
 */
export function checkGetQuery({ requestMethod, url }: Pick<HandlerContext, "requestMethod" | "url">): void {
  if (requestMethod !== "GET") return;
  const { search, searchParams } = new URL(url);
  if (!isUtf8(search))
    throw invalid("the query has percent-encoded bytes that are no UTF-8: send the message with base64=1");
  for (const name of PARAMETERS) {
    if (searchParams.getAll(name).length > 1) throw invalid(`${name}: is given more than once in the query`);
  }
  const message = searchParams.get("message") ?? "";
  const base64 = searchParams.get("base64") ?? "";
  if (base64 !== "" && base64 !== "1") throw invalid("base64: must be 1 where the query has it");
  if (base64 === "1" && !isBase64(message)) {
    throw invalid(
      "message: is no base64 (RFC 4648), as base64=1 says: use the URL-safe alphabet, whose characters need no " +
        "escaping",
    );
  }
}

function isUtf8(query: string): boolean {
  try {
    decodeURIComponent(query);
    return true;
  } catch {
    return false;
  }
}

function isBase64(text: string): boolean {
  const end = text.indexOf("=");
  const characters = end === -1 ? text.length : end;
  return BASE64.test(text) && characters % 4 !== 1 && (end === -1 || text.length % 4 === 0);
}

function invalid(message: string): ConnectError {
  return new ConnectError(message, Code.InvalidArgument);
}
