import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { brokerFault } from './broker-fault.ts';

const URL = 'amqp://app:secret@mq/v';

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
  ];
  for (const [what, error, url, code, retryable, message] of cases) {
    it(what, () => {
      const fault = brokerFault(error, url);
      assert.deepEqual([fault.code, fault.retryable, fault.cause], [code, retryable, error]);
      assert.match(fault.message, message);
      assert.doesNotMatch(fault.message, /secret|undefined/);
    });
  }
});
