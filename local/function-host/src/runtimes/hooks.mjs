// For Node.js before 22.15, which resolves ES modules in a thread of its own: bare names that are nowhere near the
// module are looked up on NODE_PATH, as Lambda's runtimes do.
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const directories = (process.env.NODE_PATH || '').split(path.delimiter).filter((one) => path.basename(one) === 'node_modules');

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || !/^(@[^/]+\/)?[^./:#@][^:]*$/.test(specifier)) throw error;
    for (const directory of directories) {
      try {
        return await next(specifier, { ...context, parentURL: pathToFileURL(path.join(directory, '../_.mjs')).href });
      } catch {
        // the next one may have it
      }
    }
    throw error;
  }
}
