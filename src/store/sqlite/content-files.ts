import { randomBytes } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { copyFile, type FileHandle, link, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Content } from '../../mail/content.ts';
import type { ContentForm } from '../../mail/store.ts';

/** Ends the name of a file with what came, of which filters made something else. */
export const RECEIVED = '.received';

/** Errors of link() that only mean that this pair of places cannot share a file. */
const COPY_INSTEAD: ReadonlySet<string> = new Set(['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * Gives a content a file of its own below `contents/`, on disk with its name when this resolves.
 *
 * The spool file is linked and not renamed: other sinks may still be reading it, and its owner removes it by
 * `release`. Without a row in the database the file is an orphan, which the next start removes.
 * @param form 'received' when a changed one is kept beside it
 * @returns its name
 */
export async function keepAsFile(
  content: Content,
  id: string,
  directory: string,
  form: ContentForm = 'edited',
): Promise<string> {
  const unique = `${id}.${randomBytes(4).toString('hex')}`; // the same id may be saved twice at once
  const name = form === 'received' ? `${unique}${RECEIVED}` : unique;
  const path = join(directory, name);
  try {
    if (content.at.kind === 'file') await keepFile(content.at.path, path);
    else await writeFile(content, path);
    await syncDirectory(directory);
    return name;
  } catch (error) {
    await dropFile(path);
    throw error;
  }
}

/** Removes a content file that no row names; if that fails the next start does it. */
export async function dropFile(path: string): Promise<void> {
  await unlink(path).catch(() => {});
}

export function readFile(path: string): AsyncIterable<Buffer> {
  return createReadStream(path, { highWaterMark: 64 * 1024 }) as AsyncIterable<Buffer>;
}

async function keepFile(spooled: string, path: string): Promise<void> {
  try {
    await withFile(spooled, 'r', (file) => file.sync());
    await link(spooled, path);
  } catch (error) {
    if (!COPY_INSTEAD.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await copyFile(spooled, path, constants.COPYFILE_EXCL);
    await withFile(path, 'r+', async (file) => {
      await file.chmod(0o600);
      await file.sync();
    });
  }
}

async function writeFile(content: Content, path: string): Promise<void> {
  await withFile(path, 'wx', async (file) => {
    await file.writeFile(content.stream());
    await file.sync();
  });
}

async function syncDirectory(path: string): Promise<void> {
  await withFile(path, 'r', (file) => file.sync());
}

async function withFile(path: string, flags: string, work: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await work(file);
  } finally {
    await file.close();
  }
}
