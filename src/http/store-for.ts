import type { Store } from '../mail/store.ts';
import type { Grant } from './auth/grant.ts';
import { scopeStore } from './auth/scoped-store.ts';
import type { Context } from './context.ts';

/** What was made for a grant; per context, since tests and programs may serve several stores. */
const scoped = new WeakMap<Context, WeakMap<Grant, Store>>();

/** The store as the client of a request may see it. */
export function storeFor({ grant }: { readonly grant: Grant }, context: Context): Store {
  const { store, naming, reader } = context;
  if (grant.scope === undefined) return store;
  const known = scoped.get(context) ?? new WeakMap<Grant, Store>();
  scoped.set(context, known);
  const made = known.get(grant) ?? scopeStore({ store, grant, naming, parsed: (id) => reader.parsed(id) });
  known.set(grant, made);
  return made;
}
