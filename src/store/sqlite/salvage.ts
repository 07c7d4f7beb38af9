import { once } from 'node:events';
import { createWriteStream, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { finished } from 'node:stream/promises';
import type { Content } from '../../mail/content.ts';
import type { Naming } from '../../mail/inbox.ts';
import { makeDirectory } from '../../mail/make-directory.ts';
import type { Message } from '../../mail/message.ts';
import { rfcDate } from '../../mail/trace.ts';
import { StoreError } from '../errors.ts';
import { RECEIVED } from './content-files.ts';
import { DamagedStore, type Lost, requireIdleStore, type Salvaged } from './damaged.ts';
import { receivedContent } from './facts.ts';
import { createSqliteStore } from './store.ts';

export type SalvageFormat = 'store' | 'eml' | 'mbox';

export interface SalvageOptions {
  /** Folder of the damaged store; nothing is written there. */
  readonly from: string;
  /** Folder for what is left; it must not exist, or be empty. */
  readonly to: string;
  /** A new store, a file for each message, or one mailbox in mboxrd form. */
  readonly format: SalvageFormat;
  readonly naming: Naming;
}

export interface SalvageReport {
  /** Messages that were written. */
  readonly messages: number;
  /** Those of them that are not all they were. */
  readonly incomplete: readonly { readonly id: string; readonly lacks: string }[];
  readonly lost: readonly Omit<Lost, 'kind'>[];
  /** What reading ran into. */
  readonly troubles: readonly string[];
}

/** Takes salvaged messages somewhere. */
interface Writer {
  add(one: Salvaged): Promise<void>;
  close(): Promise<void>;
}

/**
 * Reads what can be read of a damaged store and writes it elsewhere.
 * @throws errors with the codes of `STORE_ERRORS`, and the system's for the new folder
 */
export async function salvage({ from, to, format, naming }: SalvageOptions): Promise<SalvageReport> {
  refusePlace(resolve(from), resolve(to));
  requireIdleStore(from);
  makeDirectory(to);
  const work = mkdtempSync(join(dirname(resolve(to)), '.inboxd-salvage-'));
  const incomplete: { id: string; lacks: string }[] = [];
  const lost: Omit<Lost, 'kind'>[] = [];
  let messages = 0;
  let damaged: DamagedStore | undefined;
  try {
    damaged = new DamagedStore(from, work);
    const writer = await openWriter(to, format, naming);
    try {
      for (const find of damaged.finds()) {
        if (find.kind === 'lost') {
          lost.push({ id: find.id, subject: find.subject, why: find.why });
          continue;
        }
        await writer.add(find);
        messages++;
        if (find.lacks !== '') incomplete.push({ id: find.message.id, lacks: find.lacks });
      }
    } finally {
      await writer.close();
    }
    return { messages, incomplete, lost, troubles: [...damaged.troubles] };
  } finally {
    damaged?.close();
    rmSync(work, { recursive: true, force: true });
  }
}

function refusePlace(from: string, to: string): void {
  if (to === from || to.startsWith(from + sep)) {
    throw new StoreError('STORE_UNWRITABLE', `${to} lies in the damaged store; name a folder outside of it`);
  }
  if (existsSync(to) && readdirSync(to).length > 0) {
    throw new StoreError('STORE_UNWRITABLE', `${to} is not empty; name a new folder`);
  }
}

async function openWriter(to: string, format: SalvageFormat, naming: Naming): Promise<Writer> {
  if (format === 'store') return openStore(to, naming);
  return format === 'eml' ? openFiles(to) : openMailbox(join(to, 'salvaged.mbox'));
}

async function openStore(directory: string, naming: Naming): Promise<Writer> {
  const bounds = { keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 };
  const store = await createSqliteStore({ directory, naming, ...bounds, report: () => {} });
  return {
    async add({ message, state }) {
      await store.save(message);
      if (state.read || state.pinned || state.tags) await store.change({ ids: [message.id] }, state);
    },
    close: () => store.close(),
  };
}

function openFiles(folder: string): Writer {
  const write = async (content: Content, name: string): Promise<void> => {
    const views: Buffer[] = [];
    for await (const view of content.stream()) views.push(view);
    writeFileSync(join(folder, name), Buffer.concat(views), { mode: 0o600, flag: 'wx', flush: true });
  };
  return {
    async add({ message }) {
      await write(message.content, `${message.id}.eml`);
      const received = receivedContent(message);
      if (received) await write(received, `${message.id}${RECEIVED}.eml`);
    },
    close: async () => {},
  };
}

/** mboxrd (RFC 4155 calls the family): lines that begin with `From `, however quoted, get one `>` more. */
function openMailbox(path: string): Writer {
  const file = createWriteStream(path, { mode: 0o600, flags: 'wx', flush: true });
  return {
    async add({ message }) {
      const views: Buffer[] = [];
      for await (const view of message.content.stream()) views.push(view);
      const text = Buffer.concat(views)
        .toString('latin1')
        .replaceAll('\r\n', '\n')
        .replace(/^(?=>*From )/gm, '>');
      const entry = `${fromLine(message)}\n${text}${text.endsWith('\n') ? '' : '\n'}\n`;
      if (!file.write(entry, 'latin1')) await once(file, 'drain');
    },
    async close() {
      file.end();
      await finished(file);
    },
  };
}

function fromLine({ envelope, receivedAt }: Message): string {
  const sender = (envelope.from.path?.text ?? 'MAILER-DAEMON').replace(/[^!-~]/g, '_');
  const [, day, date, month, year, time] = /^(\w+), (\d+) (\w+) (\d+) ([\d:]+)/.exec(rfcDate(receivedAt))!;
  return `From ${sender} ${day} ${month} ${date!.padStart(2)} ${time} ${year}`;
}
