import { readFileSync } from 'node:fs';

/** Finds the package's own manifest: two folders up in a checkout's src, three from dist/src. */
function readVersion(): string {
  for (const up of ['../package.json', '../../package.json']) {
    try {
      const manifest = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as {
        name: string;
        version: string;
      };
      if (manifest.name === 'inboxd') return manifest.version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error('package.json of inboxd is missing');
}

/** Version of this inboxd, as its package says. */
export const VERSION: string = readVersion();
