/** How often, and for how long, inputs are tried to be made shorter. */
export interface ShrinkLimits {
  readonly maxTries: number;
  /** A slow input is given up on before the tries are used up. */
  readonly maxMs: number;
}

/**
 * A shorter input for which `holds` is still true: removes pieces of half the input, a quarter and so on down to one
 * byte, as long as that leads anywhere and the limits allow. `input` itself when it can't be made shorter.
 */
export async function shrink(
  input: Uint8Array,
  holds: (candidate: Uint8Array) => Promise<boolean>,
  { maxTries, maxMs }: ShrinkLimits,
): Promise<Uint8Array> {
  const ends = performance.now() + maxMs;
  let shortest = input;
  let tries = 0;
  let size = Math.ceil(input.length / 2);
  while (size >= 1) {
    for (let at = 0; at < shortest.length; ) {
      if (tries++ >= maxTries || performance.now() >= ends) return shortest;
      const candidate = Buffer.concat([shortest.subarray(0, at), shortest.subarray(at + size)]);
      if (await holds(candidate)) shortest = candidate;
      else at += size;
    }
    size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  return shortest;
}
