import type { CertificateStorage, ServingCertificate } from "../source.ts";

/** A storage that several sources share as replicas share a Secret. */
export interface MemoryStorage extends CertificateStorage {
  content: ServingCertificate | undefined;
  foreign: boolean;
  /** While set, every call throws it. */
  failure: Error | undefined;
  /** How often something was stored. */
  writes: number;
}

export function createMemoryStorage(): MemoryStorage {
  const listeners = new Set<() => void>();
  let content: ServingCertificate | undefined;
  const put = (certificate: ServingCertificate | undefined) => {
    content = certificate;
    storage.writes += 1;
    for (const listener of listeners) listener();
  };
  const fail = () => {
    if (storage.failure !== undefined) throw storage.failure;
  };
  const storage: MemoryStorage = {
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
        foreign: storage.foreign,
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
  return storage;
}
