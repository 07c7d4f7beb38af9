import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDaemon, type Daemon } from '../../src/index.ts';

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly text: string;
}

describe('the MTA-STS policy (RFC 8461)', () => {
  let daemon: Daemon;
  beforeAll(async () => {
    daemon = await createDaemon({
      listen: 'http://127.0.0.1:0',
      data: ':memory:',
      mtaSts: ['example.test', 'Other.test'],
      mtaStsMode: 'enforce',
      mtaStsMx: ['mx.example.test', '*.example.test'],
      mtaStsMaxAgeMs: 86_400_000,
    });
  });
  afterAll(() => daemon.stop({ graceMs: 0 }));

  const ask = (host: string, path = '/.well-known/mta-sts.txt'): Promise<Answer> =>
    new Promise((resolve, reject) => {
      request(`${daemon.listeners[0]!.url}${path}`, { headers: { host } }, (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        incoming.on('end', () => {
          resolve({ status: incoming.statusCode, type: incoming.headers['content-type'], text });
        });
      })
        .on('error', reject)
        .end();
    });

  it.each(['mta-sts.example.test', 'MTA-STS.example.test:443', 'mta-sts.other.test'])(
    'is served at %s',
    async (host) => {
      const { status, type, text } = await ask(host);
      expect([status, type?.split(';')[0]]).toEqual([200, 'text/plain']);
      expect(text).toBe(
        'version: STSv1\r\nmode: enforce\r\nmx: mx.example.test\r\nmx: *.example.test\r\nmax_age: 86400\r\n',
      );
    },
  );

  it.each(['example.test', '127.0.0.1', 'mta-sts.unknown.test'])('is not served at %s', async (host) => {
    expect((await ask(host)).status).not.toBe(200);
  });
});
