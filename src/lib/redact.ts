const USER_INFO = /([a-z][a-z0-9+.-]*:\/\/)([^/\s:@]*):([^/\s]*)@/gi;

/** Masks passwords in URLs, wherever they stand in a text: `amqp://user:***@host`. */
export function redact(text: string): string {
  return text.replace(USER_INFO, '$1$2:***@');
}
