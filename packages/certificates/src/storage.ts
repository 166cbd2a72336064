import type { ServingCertificate } from "./source.ts";

/** Where a self-made certificate is kept for all who serve with it: a Secret, or a file. */
export interface CertificateStorage {
  /** For messages, such as `Secret flyte/flyte-pod-webhook`. */
  readonly name: string;
  /** Undefined when there is nothing. */
  read(): Promise<StoredCertificate | undefined>;
  /** Keeps a certificate where there is none. False: somebody else was first; read again. */
  create(certificate: ServingCertificate): Promise<boolean>;
  /** Calls `listener` when it may be worth reading again, until the function that is returned is called. */
  onChange(listener: () => void): () => Promise<void>;
}

/** What a keeper holds. */
export interface StoredCertificate {
  /** Texts that are not there are empty. */
  readonly certificate: ServingCertificate;
  /** Of somebody else's making (cert-manager and the like): used as it is, and never written. */
  readonly foreign: boolean;
  /** Keeps another in its place. False: it has changed meanwhile; read again. */
  replace(certificate: ServingCertificate): Promise<boolean>;
}
