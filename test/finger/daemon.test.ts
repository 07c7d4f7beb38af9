import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config.ts';
import { createDaemon } from '../../src/daemon.ts';

async function ask(url: string, query: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let text = '';
  socket.setEncoding('latin1').on('data', (view) => {
    text += view;
  });
  socket.end(query);
  await once(socket, 'close');
  return text;
}

async function using(config: ConfigInput, test: (url: string) => Promise<void>): Promise<void> {
  const daemon = await createDaemon({ listen: 'finger://127.0.0.1:0', data: ':memory:', tls: 'off', ...config });
  try {
    await test(daemon.listeners.find(({ protocol }) => protocol === 'finger')!.url);
  } finally {
    await daemon.stop({ graceMs: 0 });
  }
}

describe('a daemon with finger', () => {
  it('asks the source that the configuration names, also for a client that has hung up', async () => {
    await using({ fingerSource: 'map:alice=In the garden;bob=Away' }, async (url) => {
      expect(await ask(url, 'Bob\r\n')).toBe('bob: Away\r\n');
      expect(await ask(url, '\n')).toBe('alice\r\nbob\r\n');
      expect(await ask(url, 'carol\r\n')).toBe('No such user\r\n');
    });
  });

  it('asks no command that is not there', async () => {
    await expect(using({ fingerSource: 'command:/nonexistent/who' }, async () => {})).rejects.toMatchObject({
      code: 'FINGER_UNUSABLE',
      message: 'finger-source command:/nonexistent/who: there is no such file',
    });
  });

  it('shows inboxes to other machines only where somebody has said so', async () => {
    const listen = 'finger://0.0.0.0:0';
    await expect(using({ listen }, async () => {})).rejects.toMatchObject({ code: 'FINGER_OPEN' });
    await using({ listen, fingerOpen: true }, async (url) =>
      expect(await ask(url, 'alice\r\n')).toBe('No such user\r\n'),
    );
  });
});
