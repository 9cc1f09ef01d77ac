/**
 * The file of a worker thread beside the module that starts it: `./name` with the ending of that module, because
 * the compiler rewrites imports but not `new URL('./name.ts')`.
 */
export function workerEntry(moduleUrl: string, name: `./${string}`): URL {
  return new URL(`${name}${moduleUrl.endsWith('.ts') ? '.ts' : '.js'}`, moduleUrl);
}
