/** Whether nobody on the network can change what is read from a URL: it is https, or http on this machine. */
export function isSecureUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url?.protocol === "http:") return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  return url?.protocol === "https:";
}
