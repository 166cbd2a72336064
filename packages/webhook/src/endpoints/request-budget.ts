/** The share of a request in flight in the budget. */
export interface RequestHold {
  /** Sets the memory of the body. May end other requests, and this one. */
  resize(bodyBytes: number): void;
  /** Gives the share back. Idempotent. */
  release(): void;
}

/** A request that has a share. */
export interface CountedRequest {
  /** Its arrival, by the budget's clock. */
  readonly started: number;
  /** Ends the request to make room. Its share was released before. */
  giveWay(): void;
}

/** Limits the memory of all requests in flight together. */
export interface RequestBudget {
  /** Adds a request. */
  hold(request: CountedRequest): RequestHold;
  /** The memory of all requests in flight. */
  heldBytes(): number;
}

/** The memory of a request without its body: headers, objects, socket buffers. */
const REQUEST_BYTES = 8 * 1024;

/**
 * Keeps the requests in flight within `maxBytes`. When they exceed it, the request with the largest product of bytes
 * and milliseconds is ended: slow clients before fast ones, large bodies before small ones. So the API server is served
 * while others try to fill the memory.
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
      // At least a millisecond, so that of requests that have just arrived the largest is ended.
      const weight = hold.bytes * (time - hold.request.started + 1);
      if (weight > most) [heaviest, most] = [hold, weight];
    }
    heaviest?.release();
    heaviest?.request.giveWay();
  }
  return { hold: (request) => new Hold(request), heldBytes: () => heldBytes };
}
