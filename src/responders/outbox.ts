import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory, syncDirectory } from '../mail/make-directory.ts';
import type { Carried, Carrier, Fate } from './carrier.ts';
import { ResponderError } from './errors.ts';
import { RESPONDER_LIMITS } from './limits.ts';

const NAME = /^[0-9A-Za-z_-]+\.(?:eml|tmp)$/;

/**
 * Writes mails to a folder instead of sending them, for people and tests to look at. A file is there whole or not at all, and
 * only its owner can read it; its name is that of the mail that is answered and a number. Envelope and inbox stand in front in X- fields.
 * @throws ResponderError if there is no such folder and it cannot be made
 */
export function createOutbox(folder: string, files: number = RESPONDER_LIMITS.outboxFiles): Carrier {
  try {
    makeDirectory(folder);
  } catch (error) {
    throw new ResponderError(`outbox ${folder}: ${(error as Error).message}`, { cause: error });
  }
  return {
    async carry(mail): Promise<Fate> {
      const path = join(folder, `${mail.message}-${mail.mail}.eml`);
      try {
        await write(mail, path);
        syncDirectory(folder);
        await shrink(folder, files);
        return { kind: 'sent', where: path };
      } catch (error) {
        return { kind: 'later', why: (error as Error).message, forAll: true };
      }
    },
    close() {},
  };
}

/** A crash in between leaves a file that the next try overwrites. */
async function write(mail: Carried, path: string): Promise<void> {
  const making = `${path.slice(0, -'.eml'.length)}.tmp`;
  {
    await using file = await open(making, 'w', 0o600);
    await file.write(`X-Envelope-From: <>\r\nX-Envelope-To: <${mail.recipient}>\r\n`);
    for await (const view of mail.content()) await file.writeFile(view);
    await file.sync();
  }
  await rename(making, path);
}

/** Ids sort by time, and so do the names. Files of others are left alone. */
async function shrink(folder: string, files: number): Promise<void> {
  const names = (await readdir(folder)).filter((name) => NAME.test(name)).sort();
  for (const name of names.slice(0, Math.max(0, names.length - files))) await rm(join(folder, name), { force: true });
}
