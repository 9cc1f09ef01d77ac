/** `target` with some of its methods replaced; all others stay its own, private fields included. */
export function withMethods<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get: (_, name) => {
      if (Object.hasOwn(methods, name)) return Reflect.get(methods, name);
      const own: unknown = Reflect.get(target, name, target);
      if (typeof own !== 'function') return own;
      // No bound function: `await using` takes none.
      return (...parameters: unknown[]): unknown => Reflect.apply(own, target, parameters);
    },
  });
}
