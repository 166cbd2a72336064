import {
  type CertificateSource,
  fingerprintOf,
  replaceCertificate,
  type ServingCertificate,
} from "@flyte-secrets/certificates";
import { type Listener, type ListenOptions, listen } from "@flyte-secrets/http";
import type { Logger } from "pino";

/** The certificate and private key that a service serves with, in PEM, as they are now. */
export interface ServiceCertificate extends Pick<CertificateSource, "onChange"> {
  current(): Pick<ServingCertificate, "cert" | "key">;
}

export interface CertificateListenerOptions extends Omit<ListenOptions, "tls"> {
  readonly log: Logger;
  /** Undefined: plain HTTP. */
  readonly certificate: ServiceCertificate | undefined;
}

/**
 * Opens a listener that serves with the current certificate, and with each new one until it is closed. A certificate
 * that changes while the listener is being opened is not missed, and one that does not fit its key leaves the old one
 * in use.
 */
export async function listenWithCertificate({
  certificate,
  ...options
}: CertificateListenerOptions): Promise<Listener> {
  if (certificate === undefined) return await listen(options);
  const { log } = options;
  const listeners: Listener[] = [];
  const tls = certificate.current();
  let served = fingerprintOf(tls.cert);
  let isRenewed = false;
  const renew = () => {
    isRenewed = true;
    if (listeners.length > 0) served = replaceCertificate({ next: certificate.current(), listeners, log, served });
  };
  await using opened = new AsyncDisposableStack();
  opened.defer(certificate.onChange(renew));
  const listening = await listen({ ...options, tls });
  listeners.push(listening);
  if (isRenewed) renew();
  const running = opened.move();
  return {
    ...listening,
    async close(limits) {
      await running.disposeAsync();
      await listening.close(limits);
    },
  };
}
