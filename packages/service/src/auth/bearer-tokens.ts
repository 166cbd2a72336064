/**
 * The bearer tokens of a request: that of `authorization` and, since Flyte's clients can send nothing else over plain HTTP, that
 * of `proxy-authorization`.
 */
export function bearerTokens(headers: Headers): string[] {
  return [headers.get("authorization"), headers.get("proxy-authorization")].flatMap((header) => {
    const token = /^bearer +(\S+) *$/i.exec(header ?? "")?.[1];
    return token === undefined ? [] : [token];
  });
}
