import type { FastifyCorsOptions, FastifyCorsOptionsDelegatePromise } from '@fastify/cors';

/** Browsers of other origins may ask what is under `/api`, with credentials in headers and never in cookies. */
export function corsOptions(origins: readonly string[] | '*'): FastifyCorsOptionsDelegatePromise {
  const usual: FastifyCorsOptions = {
    origin: origins === '*' ? '*' : [...origins],
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type', 'x-api-key'],
    exposedHeaders: ['content-disposition', 'retry-after'],
    maxAge: 600,
    // Preflights of routes that are not there are answered too: what follows them is a 404 that can be read.
    strictPreflight: false,
  };
  return async (request) => (/^\/api(\/|\?|$)/.test(request.url) ? usual : { ...usual, origin: false });
}
