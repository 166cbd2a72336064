/** The memory of a request under way, as it is counted. */
export interface RequestHold {
  /** The request's body takes up so many bytes from now on. May end other requests, and this one. */
  resize(bodyBytes: number): void;
  /** The request is over. Idempotent. */
  release(): void;
}

/** A request that is counted. */
export interface CountedRequest {
  /** When it came, by the budget's clock. */
  readonly started: number;
  /** Ends it, since it has to make room; its hold is released by then. */
  giveWay(): void;
}

/** What all requests under way may take up together. */
export interface RequestBudget {
  /** Counts a request from now on. */
  hold(request: CountedRequest): RequestHold;
  /** What they take up now. */
  heldBytes(): number;
}

/** Counted for a request besides its body: its headers, its objects, its place in the socket's buffers. */
const REQUEST_BYTES = 8 * 1024;

/**
 * Keeps the requests under way within `maxBytes`. Where one needs more than is left, the one gives way that has taken up most
 * for longest, bytes times milliseconds: a client that sends at its leisure goes before one that is quick, and a large body
 * before a small one. So an API server is served while others fill the memory.
 */
export function createRequestBudget(maxBytes: number, now: () => number = () => performance.now()): RequestBudget {
  const holds = new Set<Hold>();
  let heldBytes = 0;

  class Hold implements RequestHold {
    bytes = 0;
    readonly request: CountedRequest;
    constructor(request: CountedRequest) {
      this.request = request;
      holds.add(this);
      this.resize(0);
    }
    resize(bodyBytes: number): void {
      if (!holds.has(this)) return;
      const bytes = REQUEST_BYTES + bodyBytes;
      heldBytes += bytes - this.bytes;
      this.bytes = bytes;
      while (heldBytes > maxBytes) endHeaviest();
    }
    release(): void {
      if (holds.delete(this)) heldBytes -= this.bytes;
    }
  }

  function endHeaviest(): void {
    const time = now();
    let [heaviest] = holds;
    let most = 0;
    for (const hold of holds) {
      // At least a millisecond, so that of those that have just come the largest goes.
      const weight = hold.bytes * (time - hold.request.started + 1);
      if (weight > most) [heaviest, most] = [hold, weight];
    }
    heaviest?.release();
    heaviest?.request.giveWay();
  }
  return { hold: (request) => new Hold(request), heldBytes: () => heldBytes };
}
