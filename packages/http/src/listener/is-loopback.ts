import { BlockList, isIP, isIPv6 } from "node:net";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Whether only this machine reaches the address. A name other than localhost counts as not, and so does "" (all addresses). */
export function isLoopback(host: string): boolean {
  if (isIP(host) === 0) return host.toLowerCase() === "localhost";
  return LOOPBACK.check(host, isIPv6(host) ? "ipv6" : "ipv4");
}
