import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sink } from 'inboxd';

const folder = process.env.MAIL_FOLDER ?? 'mail';

/** Files each message as <id>.eml; refuses nobody@. */
const fileEach: Sink = async (message) => {
  if (message.envelope.to.some(({ path }) => path.local === 'nobody')) {
    return { code: 550, enhanced: '5.1.1', text: 'No such mailbox' };
  }
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${message.id}.eml`), message.content.stream());
  return undefined;
};

export { fileEach as process };
