/**
 * Why a connection came to nothing, where both sides are there and the settings of one are wrong:
 * - `no TLS`: we began TLS, and what came back is none: the other side most likely speaks plain HTTP.
 * - `no HTTP`: we spoke plain HTTP, and what came back is none, or the other side hung up: it most likely speaks TLS.
 * - `untrusted`: no certificate that we trust vouches for the other side's.
 * - `expired`: the other side's certificate is over, or not good yet.
 * - `other name`: the other side's certificate is for other names.
 * - `certificate wanted`: the other side refuses ours, or that we have none.
 */
export type ConnectionFault = "no TLS" | "no HTTP" | "untrusted" | "expired" | "other name" | "certificate wanted";

const BY_CODE: Readonly<Record<string, ConnectionFault>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: "no TLS",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "no TLS",
  ERR_SSL_HTTP_REQUEST: "no TLS",
  ERR_SSL_RECORD_LAYER_FAILURE: "no TLS",
  DEPTH_ZERO_SELF_SIGNED_CERT: "untrusted",
  SELF_SIGNED_CERT_IN_CHAIN: "untrusted",
  UNABLE_TO_GET_ISSUER_CERT: "untrusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "untrusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "untrusted",
  CERT_SIGNATURE_FAILURE: "untrusted",
  CERT_UNTRUSTED: "untrusted",
  CERT_REJECTED: "untrusted",
  INVALID_CA: "untrusted",
  INVALID_PURPOSE: "untrusted",
  CERT_HAS_EXPIRED: "expired",
  CERT_NOT_YET_VALID: "expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "other name",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "certificate wanted",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "certificate wanted",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "certificate wanted",
};

/** OpenSSL's words, which are all that Node says with the code `EPROTO`. */
const NO_TLS = /wrong version number|packet length too long|http request|record layer failure/;

/** Undefined for every other failure, such as that nobody listens. `isSecure`: whether we spoke TLS. */
export function connectionFault(error: unknown, isSecure: boolean): ConnectionFault | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  const code = String(error.code);
  if (!isSecure) return code.startsWith("HPE_") || code === "ECONNRESET" ? "no HTTP" : undefined;
  return code === "EPROTO" && NO_TLS.test(error.message) ? "no TLS" : BY_CODE[code];
}
