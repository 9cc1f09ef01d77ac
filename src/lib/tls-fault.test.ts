import assert from 'node:assert/strict';
import { it } from 'node:test';
import { tlsFault } from './tls-fault.ts';

it('the code of an error tells a certificate from another fault of TLS', () => {
  const table: [code: string, fault: ReturnType<typeof tlsFault>][] = [
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'certificate'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'certificate'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'certificate'],
    ['EPROTO', 'protocol'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'protocol'],
    ['ERR_TLS_HANDSHAKE_TIMEOUT', 'protocol'],
    ['ECONNRESET', null],
    ['', null],
  ];
  for (const [code, fault] of table) assert.equal(tlsFault(code), fault, code);
});
