import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '../../mail/make-directory.ts';

/** Where the parts of a store lie in its folder. Files are 0600, folders 0700. */
export interface Layout {
  readonly directory: string;
  readonly database: string;
  /** The index of words, which can be made again from the messages. */
  readonly search: string;
  /** Held locked while a daemon runs; empty. */
  readonly lock: string;
  /** Process id of the daemon that holds the lock, for people. */
  readonly pid: string;
  /** Contents too large for the database, a file each. */
  readonly contents: string;
  /** The two segments of the intake log. */
  readonly intake: readonly [string, string];
  /** Takes up room that is given away when the disk is full. */
  readonly reserve: string;
  /** Messages that were acknowledged and then could not be put into the tables, for people; usually not there. */
  readonly refused: string;
  /** Messages that are arriving; on the same file system as `contents`. */
  readonly spool: string;
}

export function layoutOf(directory: string): Layout {
  return {
    directory,
    database: join(directory, 'inboxd.db'),
    search: join(directory, 'search.db'),
    lock: join(directory, 'lock.db'),
    pid: join(directory, 'inboxd.pid'),
    intake: [join(directory, 'intake-0'), join(directory, 'intake-1')],
    reserve: join(directory, 'reserve'),
    contents: join(directory, 'contents'),
    refused: join(directory, 'refused'),
    spool: spoolDirectory(directory),
  };
}

/** The folder for spool files of a store: from there a large content becomes the store's without being copied. */
export function spoolDirectory(directory: string): string {
  return join(directory, 'spool');
}

export function makeDirectories(layout: Layout): void {
  for (const path of [layout.directory, layout.contents, layout.spool]) makeDirectory(path);
}

/** Makes an empty file that only its owner may read; SQLite gives the files beside it the same rights. */
export function makePrivateFile(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
}
