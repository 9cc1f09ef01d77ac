const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_/;
const PROTOCOL = /^(EPROTO$|ERR_SSL_|ERR_TLS_)/;

/**
 * What an error's code says of TLS, in the names of Node and OpenSSL: a certificate that is not accepted, no TLS that
 * both speak, or nothing.
 */
export function tlsFault(code: string): 'certificate' | 'protocol' | null {
  if (CERTIFICATE.test(code)) return 'certificate';
  return PROTOCOL.test(code) ? 'protocol' : null;
}
