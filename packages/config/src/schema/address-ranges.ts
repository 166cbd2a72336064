import { BlockList, isIP } from "node:net";

/** Returns whether an address is in one of some ranges. An IPv4 address may be IPv4-mapped (`::ffff:10.0.0.1`). */
export type AddressCheck = (address: string) => boolean;

/** Whether the text is an IP address, or a range of them in CIDR notation such as `10.0.0.0/8`. */
export function isAddressRange(text: string): boolean {
  return parseRange(text) !== undefined;
}

/** Creates the check for ranges that {@link isAddressRange} accepts. Without any range, no address is in one. */
export function createAddressCheck(ranges: readonly string[]): AddressCheck {
  const list = new BlockList();
  for (const { address, prefix, family } of ranges.flatMap((range) => parseRange(range) ?? []))
    list.addSubnet(address, prefix, family);
  return (address) => {
    const version = isIP(address);
    return version !== 0 && list.check(address, version === 6 ? "ipv6" : "ipv4");
  };
}

function parseRange(text: string) {
  const [, address = "", digits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  const longest = version === 6 ? 128 : 32;
  const prefix = Number(digits ?? longest);
  if (version === 0 || prefix > longest) return undefined;
  return { address, prefix, family: version === 6 ? "ipv6" : "ipv4" } as const;
}
