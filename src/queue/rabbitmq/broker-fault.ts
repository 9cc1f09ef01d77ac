import { type ErrorCode, networkError, YeeterError } from '../../lib/errors.ts';
import { tlsFault } from '../../lib/tls-fault.ts';
import { brokerName } from './broker-url.ts';

/** The method that was refused, or not even that, and the code once more: what the client puts before the reason. */
const PREAMBLE = /^\w+: [A-Z_]+ - /;
/** What OpenSSL puts around the reason, and the advice that Node adds to it. */
const OPENSSL = /^.*:SSL routines:[^:]*:([^:]+):.*$|;.*$/s;

const NOT_TLS = /wrong version number|packet length too long|http request/;
const CLOSED = ['CONN_CLOSE', 'ECONNRESET', 'EPIPE'];

/** First bytes of a method (AMQP 0-9-1, section 4.2.3) and of an alert (RFC 8446, section 5.1). */
const METHOD = 1;
const ALERT = 21;
const SHOWN_CHARACTERS = 18;

/** What the first bytes of a peer tell when they are no AMQP; null where the client may read on. */
export function greetingFault(head: Buffer): Error | null {
  if (head[0] === METHOD || head.toString('latin1', 0, 4) === 'AMQP') return null;
  const shown = JSON.stringify(head.toString('latin1', 0, SHOWN_CHARACTERS));
  return Object.assign(new Error(shown), { code: head[0] === ALERT ? 'TLS_EXPECTED' : 'OTHER_PROTOCOL' });
}

interface Explanation {
  code: ErrorCode;
  what: string;
  retryable?: boolean;
}

/**
 * Why a broker is not to be had, and what to do about it. Only where the fault is retryable does waiting help.
 * @param error of the client or of its first bytes; the codes are those of Node and of AMQP 0-9-1
 * @param url of the broker, with a user
 */
export function brokerFault(error: Error & { code?: string }, url: string): YeeterError {
  const where = `RabbitMQ ${brokerName(url)}`;
  const reason = error.message.replace(PREAMBLE, '').replace(OPENSSL, '$1').trim();
  const explained = explain(error.code ?? '', reason, new URL(url));
  if (explained) {
    const { code, what, ...retryable } = explained;
    return new YeeterError(code, `${where}: ${what}`, { cause: error, ...retryable });
  }
  const plain = Object.assign(new Error(reason), { code: error.code });
  const { message } = networkError(plain, where, 'QUEUE_UNREACHABLE', 'the broker');
  return new YeeterError('QUEUE_UNREACHABLE', message, { cause: error });
}

function explain(code: string, reason: string, { username, pathname, protocol }: URL): Explanation | null {
  const user = decodeURIComponent(username);
  const isSecure = protocol === 'amqps:';
  if (code === 'ACCESS_REFUSED') {
    const guest = user === 'guest' ? ' ("guest" is let in from the machine of the broker alone)' : '';
    const what = `it refuses user "${user}" or the password: check both in the URL${guest}`;
    return { code: 'LOGIN_REFUSED', what };
  }
  if (code === 'NOT_ALLOWED') {
    const vhost = decodeURIComponent(pathname.slice(1)) || '/';
    const todo = "check the URL's path, and that the vhost is there and the user has permissions on it";
    return {
      code: 'LOGIN_REFUSED',
      what: `it does not let user "${user}" into vhost "${vhost}" (${reason}): ${todo}`,
    };
  }
  if (code === 'OTHER_PROTOCOL') {
    const todo = 'check host and port, which is 5672 for amqp:// and 5671 for amqps:// unless it was changed';
    const what = `what answers there is no RabbitMQ (${reason}): ${todo}`;
    return { code: 'QUEUE_UNREACHABLE', what, retryable: false };
  }
  if (code === 'TLS_EXPECTED') {
    return {
      code: 'TLS_FAILED',
      what: 'it expects TLS at that port: write amqps://, or its port without TLS',
    };
  }
  const tls = tlsFault(code);
  if (tls === 'certificate') {
    const todo = 'correct it, or name the file of its authority in NODE_EXTRA_CA_CERTS';
    return { code: 'TLS_FAILED', what: `its certificate is not accepted (${reason}): ${todo}` };
  }
  if (tls === 'protocol') {
    const what = NOT_TLS.test(reason)
      ? `it speaks no TLS at that port (${reason}): write amqp://, or its port with TLS`
      : `no secure connection (${reason}): check the TLS settings of the broker`;
    return { code: 'TLS_FAILED', what };
  }
  if (CLOSED.includes(code)) {
    const other = isSecure ? 'it speaks no TLS (amqp://)' : 'it expects TLS (amqps://)';
    const what = `it closes the connection without a word: perhaps something other than RabbitMQ listens there, or ${other}`;
    return { code: 'QUEUE_UNREACHABLE', what };
  }
  return null;
}
