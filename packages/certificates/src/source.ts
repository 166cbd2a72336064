/** A certificate to serve with. */
export interface ServingCertificate {
  /** The chain, in PEM, the server's own first. */
  readonly cert: string;
  /** Its private key, in PEM. */
  readonly key: string;
  /** What clients verify it by, in PEM: the registration's `caBundle`. Old and new CA together while one takes the other's place. */
  readonly ca: string;
}

/** Where the webhook's certificate comes from: made by ourselves, a Secret, or files. */
export interface CertificateSource {
  /** The one to serve with now. Creating a source waits for its first, so there always is one. */
  current(): ServingCertificate;
  /**
   * Calls `listener` after each change, until the function that is returned is called. It must not throw: timers call it.
   */
  onChange(listener: () => void): () => void;
  /** Stops watching and renewing. Idempotent. */
  close(): Promise<void>;
}
