import type { Selection } from '../../mail/store.ts';
import { readMethods } from './reads.ts';
import { serveThread, tellParent } from './thread.ts';
import { type Batch, type IndexEntry, Writer, type WriterOptions } from './writer.ts';

/** Told when messages were removed by `remove` or for their age, after each commit. */
export interface RemovedEvent {
  readonly ids: readonly string[];
  readonly why: 'asked' | 'retention';
}

function methodsOf(writer: Writer) {
  return {
    ...readMethods(writer.queries),
    save: ({ batch, now }: { readonly batch: Batch; readonly now: number }) => writer.save(batch, now),
    index: ({ entries, upTo }: { readonly entries: readonly IndexEntry[]; readonly upTo: number }) =>
      writer.index(entries, upTo),
    remove: (selection: Selection) => writer.remove(selection),
    markRead: ({ selection, read }: { readonly selection: Selection; readonly read: boolean }) =>
      writer.markRead(selection, read),
    expire: (now: number) => writer.expire(now),
    probe: () => writer.probe(),
    close: () => writer.close(),
  };
}

export type WriteMethods = ReturnType<typeof methodsOf>;

export interface WriterData extends WriterOptions {
  readonly now: number;
}

serveThread((data: WriterData) => {
  const writer = new Writer(data, (ids, why) => tellParent({ ids, why } satisfies RemovedEvent));
  writer.shrink(data.now);
  return methodsOf(writer);
});
