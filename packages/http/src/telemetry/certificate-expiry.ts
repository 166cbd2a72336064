import { X509Certificate } from "node:crypto";
import type { Registry } from "prom-client";
import { loadPrometheus } from "./lazy-libraries.ts";

/** A certificate that is served with, in PEM. */
export interface ServedCertificate {
  current(): { readonly cert: string };
}

/** Adds a metric of when the certificate that is served expires. */
export function addCertificateExpiry(registry: Registry, certificates: ServedCertificate): void {
  const { Gauge } = loadPrometheus();
  new Gauge({
    name: "flyte_secrets_certificate_expiry_timestamp_seconds",
    help: "When the certificate that is served ends, in seconds since 1970.",
    // Of several workers, the first to end.
    aggregator: "min",
    registers: [registry],
    collect() {
      const { validToDate } = new X509Certificate(certificates.current().cert);
      this.set(validToDate.getTime() / 1000);
    },
  });
}
