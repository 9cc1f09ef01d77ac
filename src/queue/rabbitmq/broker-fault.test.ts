import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { brokerFault, greetingFault } from './broker-fault.ts';

const URL = 'amqp://app:secret@mq/v';
const SECURE_URL = 'amqps://app:secret@mq/v';

const coded = (code: string, message: string): Error => Object.assign(new Error(message), { code });

describe('what is said of a broker that is not to be had', () => {
  const cases: [string, Error, string, string, boolean, RegExp][] = [
    [
      'the user or the password, when it refuses them',
      coded('ACCESS_REFUSED', 'undefined: ACCESS_REFUSED - Login was refused using authentication mechanism'),
      URL,
      'LOGIN_REFUSED',
      false,
      /^RabbitMQ mq:5672\/v: it refuses user "app" or the password: check both in the URL/,
    ],
    [
      'the vhost, when it is not there or not permitted',
      coded('NOT_ALLOWED', 'ConnectionOpen: NOT_ALLOWED - vhost v not found'),
      URL,
      'LOGIN_REFUSED',
      false,
      /: it does not let user "app" into vhost "v" \(vhost v not found\): .*permi/,
    ],
    [
      'the broker, not the system under test, when nothing listens',
      coded('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:5672'),
      URL,
      'QUEUE_UNREACHABLE',
      true,
      /: nothing listens there: check host and port, and that the broker is started$/,
    ],
    [
      'the name that does not resolve',
      coded('ENOTFOUND', 'getaddrinfo ENOTFOUND mq'),
      URL,
      'QUEUE_UNREACHABLE',
      true,
      /: the host name does not resolve/,
    ],
    [
      'what the broker says of itself, when waiting may help',
      coded('INTERNAL_ERROR', "ConnectionOpen: INTERNAL_ERROR - vhost 'v' is down"),
      URL,
      'QUEUE_UNREACHABLE',
      true,
      /: vhost 'v' is down$/,
    ],
    [
      'a port without TLS, when amqps goes there',
      coded(
        'EPROTO',
        'write EPROTO 40DD:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../a.c:77:\n',
      ),
      SECURE_URL,
      'TLS_FAILED',
      false,
      /^RabbitMQ mq:5671\/v: it speaks no TLS at that port \(wrong version number\): write amqp:/,
    ],
    [
      'the reason of another fault of TLS',
      coded(
        'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
        'C0:error:0A00042E:SSL routines:f:tlsv1 alert:../a.c:9:\n',
      ),
      SECURE_URL,
      'TLS_FAILED',
      false,
      /: no secure connection \(tlsv1 alert\): /,
    ],
    [
      'the authority to name, when the certificate is not trusted',
      coded(
        'DEPTH_ZERO_SELF_SIGNED_CERT',
        'self-signed certificate; if the root CA is installed locally, ...',
      ),
      SECURE_URL,
      'TLS_FAILED',
      false,
      /: its certificate is not accepted \(self-signed certificate\): .*NODE_EXTRA_CA_CERTS/,
    ],
    [
      'what else may listen, when the connection is closed without a word',
      coded('CONN_CLOSE', 'socket closed unexpectedly by server'),
      URL,
      'QUEUE_UNREACHABLE',
      true,
      /: it closes the connection without a word: .*than RabbitMQ listens there, or it expects TLS \(amqps:\/\/\)$/,
    ],
    [
      'what else may listen, when the connection is closed before TLS begins',
      coded('ECONNRESET', 'Client network socket disconnected before secure TLS connection was established'),
      SECURE_URL,
      'QUEUE_UNREACHABLE',
      true,
      /: it closes the connection without a word: .*than RabbitMQ listens there, or it speaks no TLS \(amqp:\/\/\)$/,
    ],
    [
      'what it begins with, when something else answers',
      greetingFault(Buffer.from('HTTP/1.1 400 Bad Request\r\n'))!,
      URL,
      'QUEUE_UNREACHABLE',
      false,
      /: what answers there is no RabbitMQ \("HTTP\/1.1 400 Bad R"\): check host and port/,
    ],
    [
      'TLS, when that answers a URL without it',
      greetingFault(Buffer.from([21, 3, 3, 0, 2, 2, 10]))!,
      URL,
      'TLS_FAILED',
      false,
      /: it expects TLS at that port: write amqps:\/\//,
    ],
  ];
  for (const [what, error, url, code, retryable, message] of cases) {
    it(what, () => {
      const fault = brokerFault(error, url);
      assert.deepEqual([fault.code, fault.retryable, fault.cause], [code, retryable, error]);
      assert.match(fault.message, message);
      assert.doesNotMatch(fault.message, /secret|undefined/);
    });
  }

  it('nothing of a peer that begins like AMQP 0-9-1, or names its version of AMQP', () => {
    assert.equal(greetingFault(Buffer.from([1, 0, 0, 0, 0, 1, 0xd7])), null);
    assert.equal(greetingFault(Buffer.from('AMQP\x00\x01\x00\x00')), null);
  });
});
