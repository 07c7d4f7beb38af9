import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** A file of the built page, held in memory: together they are smaller than one mail with a picture. */
export interface PageFile {
  readonly type: string;
  readonly etag: string;
  readonly bytes: Buffer;
  /** Has the same compressed, where that makes it smaller; made when it is first wanted. */
  gzip(): Buffer | undefined;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

/** Where the build puts the page, seen from the sources and from the built daemon. */
const PLACES = ['../../dist/web/', '../../web/'].map((path) => fileURLToPath(new URL(path, import.meta.url)));

/** Reads the built page, path below its folder to file; empty if it has not been built. */
export function readPageFiles(places: readonly string[] = PLACES): ReadonlyMap<string, PageFile> {
  const folder = places.find((place) => existsSync(join(place, 'index.html')));
  if (folder === undefined) return new Map();
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extname(entry.name) in TYPES)
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(names.map((name) => [relative(folder, name).split(sep).join('/'), readPageFile(name)]));
}

function readPageFile(name: string): PageFile {
  const bytes = readFileSync(name);
  let gzip: Buffer | undefined;
  return {
    type: TYPES[extname(name)]!,
    etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 27)}"`,
    bytes,
    gzip() {
      gzip ??= gzipSync(bytes, { level: 9 });
      return gzip.length < bytes.length * 0.9 ? gzip : undefined;
    },
  };
}
