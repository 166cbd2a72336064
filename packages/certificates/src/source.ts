/** A certificate to serve with. */
export interface ServingCertificate {
  /** The chain in PEM, the server's own certificate first. */
  readonly cert: string;
  /** Its private key in PEM. */
  readonly key: string;
  /**
   * The CAs that clients verify it by, in PEM: the registration's `caBundle`. During a rotation it has the old and the
   * new CA.
   */
  readonly ca: string;
}

/**
 * Provides the certificate that is served: self-signed and kept in a {@link CertificateStorage}, or read from files.
 */
export interface CertificateSource {
  /** The current certificate. Never undefined: a source is only returned after its first certificate is available. */
  current(): ServingCertificate;
  /** Calls `listener` after each change, until the returned function is called. It must not throw: timers call it. */
  onChange(listener: () => void): () => void;
  /** Stops watching and renewing. Idempotent. */
  close(): Promise<void>;
}

/** Stores a self-signed certificate for all processes that serve it: in a Secret, or in a file. */
export interface CertificateStorage {
  /** For messages, such as `Secret flyte/flyte-pod-webhook`. */
  readonly name: string;
  /** Undefined when nothing is stored. */
  read(): Promise<StoredCertificate | undefined>;
  /** Stores a certificate where there is none. False when another process was first: read again. */
  create(certificate: ServingCertificate): Promise<boolean>;
  /** Calls `listener` when the stored certificate may have changed, until the returned function is called. */
  onChange(listener: () => void): () => Promise<void>;
}

/** A certificate as it was read from a {@link CertificateStorage}. */
export interface StoredCertificate {
  /** Missing parts are empty. */
  readonly certificate: ServingCertificate;
  /** Whether somebody else manages it, such as cert-manager: it is used as it is and never written. */
  readonly foreign: boolean;
  /** Stores another certificate in its place. False when it has changed since it was read: read again. */
  replace(certificate: ServingCertificate): Promise<boolean>;
}
