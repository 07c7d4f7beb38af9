import type { Overflow, Settlement } from '../../mail/deliveries.ts';
import type { MessageChange, Selection } from '../../mail/store.ts';
import type { Note } from './annotations.ts';
import type { EventBatch } from './journal.ts';
import type { PackStep } from './packer-thread.ts';
import { readMethods } from './reads.ts';
import { searchMethods } from './search-methods.ts';
import type { IndexedTexts } from './text-writer.ts';
import { Moved, serveThread, tellParent } from './thread.ts';
import { type Batch, type Keeping, Writer, type WriterOptions } from './writer.ts';

/** Told after each commit that changed something, but for that of a batch: there it comes with the outcome. */
export interface CommittedEvent {
  /** Messages that are gone. */
  readonly removed: readonly string[];
  readonly why: 'asked' | 'retention';
  readonly events: EventBatch | undefined;
  /** Deliveries that there was no room for. */
  readonly overflow?: readonly Overflow[];
}

interface Replay {
  readonly target: string;
  readonly ids: readonly string[] | undefined;
  readonly now: number;
}

function methodsOf(writer: Writer) {
  return {
    ...readMethods(() => writer.queries),
    ...searchMethods(() => writer.search),
    intake: () => writer.openIntake(),
    save: ({ batch, keeping }: { readonly batch: Batch; readonly keeping: Keeping }) => {
      const outcome = writer.save(batch, keeping);
      return new Moved({ outcome, contents: batch.contents }, [batch.contents]); // for the next one
    },
    ensureRoom: () => writer.ensureRoom(),
    putTexts: (texts: IndexedTexts) => writer.putTexts(texts),
    forget: (what: Parameters<Writer['forget']>[0]) => writer.forget(what),
    pack: (step: PackStep) => writer.pack(step),
    tidy: () => writer.tidy(),
    remove: (selection: Selection) => writer.remove(selection),
    change: ({ selection, change }: { readonly selection: Selection; readonly change: MessageChange }) =>
      writer.change(selection, change),
    annotate: (notes: readonly Note[]) => writer.annotate(notes),
    settle: ({ settlements, now }: { readonly settlements: readonly Settlement[]; readonly now: number }) =>
      writer.settle(settlements, now),
    replay: ({ target, ids, now }: Replay) => writer.replay(target, ids, now),
    latestEvent: () => writer.latestEvent,
    expire: (now: number) => writer.expire(now),
    probe: () => writer.probe(),
    close: () => writer.close(),
  };
}

export type WriteMethods = ReturnType<typeof methodsOf>;

serveThread((data: WriterOptions) => {
  const writer = new Writer(data, (committed) => tellParent(committed));
  writer.shrink(data.now);
  return methodsOf(writer);
});
