import { type ErrorCode, networkError, YeeterError } from '../../lib/errors.ts';
import { brokerName } from './broker-url.ts';

/** The method that was refused, or not even that, and the code once more: what the client puts before the reason. */
const PREAMBLE = /^\w+: [A-Z_]+ - /;

/**
 * Why a broker is not to be had, and what to do about it. Only where the fault is retryable does waiting help.
 * @param error of the client; its codes are those of `node:net` and of AMQP 0-9-1
 * @param url of the broker, with a user
 */
export function brokerFault(error: Error & { code?: string }, url: string): YeeterError {
  const where = `RabbitMQ ${brokerName(url)}`;
  const { username, pathname } = new URL(url);
  const user = decodeURIComponent(username);
  const reason = error.message.replace(PREAMBLE, '');
  const fault = (code: ErrorCode, what: string): YeeterError =>
    new YeeterError(code, `${where}: ${what}`, { cause: error });
  switch (error.code) {
    case 'ACCESS_REFUSED': {
      const guest = user === 'guest' ? ' ("guest" is let in from its own machine alone)' : '';
      return fault(
        'LOGIN_REFUSED',
        `it refuses user "${user}" or the password: check both in the URL${guest}`,
      );
    }
    case 'NOT_ALLOWED': {
      const vhost = decodeURIComponent(pathname.slice(1)) || '/';
      const todo = "check the URL's path, and that the vhost is there and the user has permissions on it";
      return fault(
        'LOGIN_REFUSED',
        `it does not let user "${user}" into vhost "${vhost}" (${reason}): ${todo}`,
      );
    }
    default: {
      const plain = Object.assign(new Error(reason), { code: error.code });
      const { message } = networkError(plain, where, 'QUEUE_UNREACHABLE', 'the broker');
      return new YeeterError('QUEUE_UNREACHABLE', message, { cause: error });
    }
  }
}
