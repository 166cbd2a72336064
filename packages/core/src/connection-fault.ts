/**
 * The reason why a connection failed although both sides run, because the settings of one are wrong:
 * - `no TLS`: our TLS handshake was not answered with TLS; the server most likely speaks plain HTTP.
 * - `no HTTP`: our plain HTTP request was not answered with HTTP, or the server hung up; it most likely speaks TLS.
 * - `untrusted`: the server's certificate was issued by no CA that we trust.
 * - `expired`: the server's certificate has expired, or is not valid yet.
 * - `other name`: the server's certificate is for other names.
 * - `certificate wanted`: the server requires a client certificate, and refuses ours or that we have none.
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

/** OpenSSL's messages, the only detail that Node gives with the code `EPROTO`. */
const NO_TLS = /wrong version number|packet length too long|http request|record layer failure/;

/**
 * The fault behind an error of a connection, with TLS if `isSecure`; undefined for other failures, such as a refused
 * connection.
 */
export function connectionFault(error: unknown, isSecure: boolean): ConnectionFault | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  const code = String(error.code);
  if (!isSecure) return code.startsWith("HPE_") || code === "ECONNRESET" || code === "EPIPE" ? "no HTTP" : undefined;
  return code === "EPROTO" && NO_TLS.test(error.message) ? "no TLS" : BY_CODE[code];
}
