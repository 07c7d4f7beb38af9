import { mkdirSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Message } from '../mail/message.ts';
import type { Sink } from '../mail/sink.ts';
import { traceHeaders } from '../mail/trace.ts';

/*
 * One file per message in a Maildir (https://cr.yp.to/proto/maildir.html): written below tmp/, fsynced, renamed into
 * new/, and the folder fsynced, so that a reader sees whole messages only and 250 means that it is on disk.
 *
 * Lines end in CR LF as they came. The custom on UNIX is LF alone, but then a stored mail is no longer the bytes that
 * were sent (signatures over binary parts break); mutt, Dovecot, notmuch and Python's mailbox read both.
 */

let delivered = 0; // tells two deliveries of one process apart, in whatever Maildir

/**
 * Makes a sink that delivers into a Maildir.
 * @param directory the Maildir; it and its three folders are made here, at once
 * @param hostname our own name, for the trace and for file names
 * @throws the system's error if the folders cannot be made
 */
export function createMaildirSink(directory: string, hostname: string): Sink {
  for (const folder of ['tmp', 'new', 'cur']) mkdirSync(join(directory, folder), { recursive: true, mode: 0o700 });
  const host = hostname.replaceAll('/', '\\057').replaceAll(':', '\\072');
  return async (message, signal) => {
    const name = nameOf(message, host);
    const temporary = join(directory, 'tmp', name);
    const path = join(directory, 'new', name);
    try {
      await write(temporary, message, traceHeaders(message, hostname));
      signal.throwIfAborted(); // the client has been told to try again: no second copy
      await rename(temporary, path);
    } catch (error) {
      await unlink(temporary).catch(() => {}); // most likely never made; the error that counts is the first
      throw error;
    }
    await syncDirectory(join(directory, 'new'));
  };
}

function nameOf({ id }: Message, host: string): string {
  return `${Math.floor(Date.now() / 1000)}.${process.pid}_${delivered++}_${id}.${host}`;
}

async function write(path: string, message: Message, trace: Buffer): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(trace);
    await file.writeFile(message.content.stream());
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
