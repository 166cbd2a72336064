import type { ServingCertificate } from "../source.ts";
import type { CertificateStorage } from "../storage.ts";

/** A keeper that several sources share as replicas share a Secret. */
export interface MemoryKeeper extends CertificateStorage {
  content: ServingCertificate | undefined;
  foreign: boolean;
  /** While set, every call throws it. */
  failure: Error | undefined;
  /** How often something was kept. */
  writes: number;
}

export function createMemoryStorage(): MemoryKeeper {
  const listeners = new Set<() => void>();
  let content: ServingCertificate | undefined;
  const put = (certificate: ServingCertificate | undefined) => {
    content = certificate;
    keeper.writes += 1;
    for (const listener of listeners) listener();
  };
  const fail = () => {
    if (keeper.failure !== undefined) throw keeper.failure;
  };
  const keeper: MemoryKeeper = {
    name: "memory",
    foreign: false,
    failure: undefined,
    writes: 0,
    get content() {
      return content;
    },
    set content(certificate) {
      put(certificate);
    },
    async read() {
      fail();
      const seen = content;
      if (seen === undefined) return undefined;
      return {
        certificate: seen,
        foreign: keeper.foreign,
        async replace(certificate) {
          fail();
          if (content !== seen) return false;
          put(certificate);
          return true;
        },
      };
    },
    async create(certificate) {
      fail();
      if (content !== undefined) return false;
      put(certificate);
      return true;
    },
    onChange(listener) {
      listeners.add(listener);
      return async () => void listeners.delete(listener);
    },
  };
  return keeper;
}
