import type { Context } from '../context.ts';

/** Marks a message read because somebody looked at it. A store that cannot write, on a full disk say, must still let people read. */
export async function markRead(id: string, { store, report }: Context): Promise<void> {
  await store
    .change({ ids: [id] }, { read: true })
    .catch((error: unknown) => report({ type: 'crash', where: 'http', error }));
}
