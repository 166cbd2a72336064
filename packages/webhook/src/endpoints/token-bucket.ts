/** Answers whether one more call may be made now, and counts it if so. */
export type TakeToken = () => boolean;

/** Lets `perSecond` calls pass in a second, and as many at once after a second of rest. */
export function createTokenBucket(perSecond: number, now: () => number = () => performance.now()): TakeToken {
  let tokens = perSecond;
  let filled = now();
  return () => {
    const time = now();
    tokens = Math.min(perSecond, tokens + ((time - filled) * perSecond) / 1000);
    filled = time;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
