/**
 * Checks the types in `.svelte` files, with the arguments of svelte-check.
 *
 * That asks for the compiler as a library, which TypeScript 7 no longer is, and refuses to run beside it. So it is given
 * TypeScript 6, which is installed under a name of its own and checks nothing else.
 */
import { createRequire, registerHooks } from 'node:module';

registerHooks({
  resolve: (specifier, context, next) => next(specifier.replace(/^typescript(?=$|\/)/, 'typescript-6'), context),
});
createRequire(import.meta.url)('../../node_modules/svelte-check/bin/svelte-check');
