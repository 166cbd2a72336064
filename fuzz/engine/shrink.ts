/**
 * A shorter input for which `holds` is still true: removes pieces of half the input, a quarter and so on down to one byte, as long
 * as that leads anywhere. `input` itself when it can't be made shorter.
 *
 * @param maxTries how often `holds` may be asked: what one asks may take long.
 */
export async function shrink(
  input: Uint8Array,
  holds: (candidate: Uint8Array) => Promise<boolean>,
  maxTries = 2_000,
): Promise<Uint8Array> {
  let shortest = input;
  let tries = 0;
  for (
    let size = Math.ceil(input.length / 2);
    size >= 1 && tries < maxTries;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let at = 0; at < shortest.length && tries < maxTries; tries++) {
      const candidate = Buffer.concat([shortest.subarray(0, at), shortest.subarray(at + size)]);
      if (await holds(candidate)) shortest = candidate;
      else at += size;
    }
  }
  return shortest;
}
