/** `HOST:PORT/VHOST`, without user and password. */
export function brokerName(url: string): string {
  const { hostname, port, pathname, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === 'amqps:' ? 5671 : 5672)}${pathname === '' ? '/' : pathname}`;
}

/** RabbitMQ's own user where the URL has none. */
export function withDefaultUser(url: string): string {
  const parsed = new URL(url);
  if (parsed.username === '') Object.assign(parsed, { username: 'guest', password: 'guest' });
  return parsed.href;
}
