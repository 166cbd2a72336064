/** Whether what is read from the URL can be trusted: https, or http on this machine. */
export function isSafeIssuerUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url?.protocol === "http:") return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  return url?.protocol === "https:";
}
