import { PhotonImage } from '@silvia-odwyer/photon-node';
import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createHttpServer } from '../../src/http/server.ts';
import type { Report } from '../../src/mail/report.ts';
import type { Store } from '../../src/mail/store.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { bomb, GIF, png } from './images/pictures.ts';
import { deliver, mail } from './support.ts';

let store: Store;
let app: FastifyInstance;
const reports: Report[] = [];

beforeAll(async () => {
  const limits = { naming: 'full', keepPerInbox: 0, keepBytes: 0, keepAgeMs: 0 } as const;
  store = await createSqliteStore({ directory: ':memory:', ...limits, report: () => {} });
  app = createHttpServer({
    store,
    version: '0',
    hostname: 'mail.example.org',
    report: (report) => reports.push(report),
  });
});
afterEach(async () => {
  await store.remove({ all: true });
  expect(reports).toEqual([]);
});
afterAll(async () => {
  await app.close();
  await store.close();
});

const part = (type: string, name: string, content: Buffer) =>
  `--b\nContent-Type: ${type}\nContent-Disposition: attachment; filename="${name}"\nContent-Transfer-Encoding: base64\n\n` +
  `${content.toString('base64').replace(/.{76}/g, '$&\n')}\n`;

describe('GET /api/v1/message/{id}/part/{n}/thumb', () => {
  it('answers a JPEG of 180 by 120 for every part, and 400 for none', async () => {
    const parts = [
      part(
        'image/png',
        'red.png',
        png(200, 200, () => [255, 0, 0, 255]),
      ),
      part('image/gif', 'x"\r\n\t.gif'.replace(/["\r\n]/g, '_'), GIF),
      part('image/png', 'bomb.png', bomb(100_000, 100_000)),
      part('image/png', 'broken.png', Buffer.from('x')),
      part(
        'text/plain',
        'text.txt',
        png(200, 200, () => [255, 0, 0, 255]),
      ),
    ];
    const id = await deliver(
      store,
      mail(`Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n${parts.join('')}--b--\n`),
    );
    const middles = [];
    for (const number of [1, 2, 3, 4, 5]) {
      const reply = await app.inject(`/api/v1/message/${id}/part/${number}/thumb`);
      expect([reply.statusCode, reply.headers['content-type']]).toEqual([200, 'image/jpeg']);
      expect(reply.headers['content-disposition']).toMatch(/^inline; filename="[\w.%]+"/);
      const image = PhotonImage.new_from_byteslice(reply.rawPayload);
      expect([image.get_width(), image.get_height()]).toEqual([180, 120]);
      middles.push(image.get_raw_pixels()[(60 * 180 + 90) * 4 + 1]! < 128 ? 'picture' : 'white');
    }
    expect(middles).toEqual(['picture', expect.any(String), 'white', 'white', 'white']);
    expect((await store.get(id))?.read).toBe(false);
    const unknown = await app.inject(`/api/v1/message/${id}/part/9/thumb`);
    expect([unknown.statusCode, unknown.headers['content-type']]).toEqual([400, 'text/plain']);
    expect((await app.inject('/api/v1/message/unknown/part/1/thumb')).statusCode).toBe(400);
  });
});
