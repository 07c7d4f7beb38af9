import { closeSync, openSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { withoutForgedResults } from '../mail/authentication-results.ts';
import { makeDirectory } from '../mail/make-directory.ts';
import type { Message } from '../mail/message.ts';
import type { Sink } from '../mail/sink.ts';
import { traceHeaders } from '../mail/trace.ts';

/*
 * One file per message in a Maildir (https://cr.yp.to/proto/maildir.html): written below tmp/, fsynced, renamed into
 * new/, and the folder fsynced, so that a reader sees whole messages only and 250 means that it is on disk.
 *
 * Lines end in LF alone, as in every Maildir: with CR LF, mutt shows ^M behind header fields. So CR LF becomes LF, and
 * a CR or LF that stands alone stays as it is. Who wants the bytes as they were sent asks the store.
 *
 * What a filter has put into quarantine goes to a folder of that Maildir (Maildir++, as Courier and Dovecot have them):
 * it is accepted and has to be somewhere, and a mail client shall not show it among the others.
 */

const FOLDERS = ['tmp', 'new', 'cur'];
const QUARANTINE = '.Quarantine';

let delivered = 0; // tells two deliveries of one process apart, in whatever Maildir

/**
 * Makes a sink that delivers into a Maildir.
 * @param directory the Maildir; it and its three folders are made here, at once
 * @param hostname our own name, for the trace and for file names
 * @throws the system's error if the folders cannot be made
 */
export function createMaildirSink(directory: string, hostname: string): Sink {
  makeFolders(directory);
  const host = hostname.replaceAll('/', '\\057').replaceAll(':', '\\072');
  return async (message, signal) => {
    const name = nameOf(message, host);
    const maildir = message.quarantine === undefined ? directory : quarantineIn(directory);
    const temporary = join(maildir, 'tmp', name);
    const path = join(maildir, 'new', name);
    try {
      await write(temporary, traceHeaders(message, hostname), withoutForgedResults(message.content.stream(), hostname));
      signal.throwIfAborted(); // the client has been told to try again: no second copy
      await rename(temporary, path);
    } catch (error) {
      await unlink(temporary).catch(() => {}); // most likely never made; the error that counts is the first
      throw error;
    }
    await syncDirectory(join(maildir, 'new'));
  };
}

function makeFolders(maildir: string): void {
  for (const folder of FOLDERS) makeDirectory(join(maildir, folder));
}

/** The folder for quarantine, made when first needed; an empty file marks it as one. */
function quarantineIn(directory: string): string {
  const maildir = join(directory, QUARANTINE);
  makeFolders(maildir);
  closeSync(openSync(join(maildir, 'maildirfolder'), 'a', 0o600));
  return maildir;
}

function nameOf({ id }: Message, host: string): string {
  return `${Math.floor(Date.now() / 1000)}.${process.pid}_${delivered++}_${id}.${host}`;
}

async function write(path: string, trace: Buffer, content: AsyncIterable<Buffer>): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(withoutCr(trace, content));
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

const LF = 0x0a;
const CR = 0x0d;

/** Takes the CR out of every CR LF. */
async function* withoutCr(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const lines = new LineEnds();
  yield lines.convert(first);
  for await (const view of rest) yield lines.convert(view);
  yield lines.end();
}

class LineEnds {
  /** A CR at the end of a view: half of CR LF, or alone. */
  #isHeld = false;

  convert(view: Buffer): Buffer {
    if (view.length === 0) return view;
    const out = Buffer.allocUnsafe(view.length + 1);
    let to = 0;
    if (this.#isHeld && view[0] !== LF) out[to++] = CR;
    this.#isHeld = false;
    let from = 0;
    for (let cr = view.indexOf(CR); cr >= 0; cr = view.indexOf(CR, from)) {
      this.#isHeld = cr === view.length - 1;
      const end = this.#isHeld || view[cr + 1] === LF ? cr : cr + 1;
      to += view.copy(out, to, from, end);
      from = cr + 1;
    }
    to += view.copy(out, to, from);
    return out.subarray(0, to);
  }

  end(): Buffer {
    return Buffer.from(this.#isHeld ? [CR] : []);
  }
}
