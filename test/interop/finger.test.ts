import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { describeWithPeers } from '../support/peers.ts';
import { runWell } from '../support/run.ts';

const SCRIPT = fileURLToPath(new URL('../interop/ask-by-finger.ts', import.meta.url));
/** finger can be given no port, and 79 is root's: in a network namespace of his own everybody is. */
const NAMESPACE = ['-rn', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];

describeWithPeers('finger of Debian', ['finger', 'ip'], ({ finger }) => {
  it('shows inboxes, and no escape reaches its terminal', async (context) => {
    if (spawnSync('unshare', [...NAMESPACE, 'true']).status !== 0) {
      if (process.env.CI) throw new Error('missing in CI: network namespaces for users (unshare -rn)');
      console.log('skipped, needs network namespaces for users (unshare -rn)');
      context.skip('needs network namespaces for users');
    }
    const queries = [
      'alice@127.0.0.1',
      '-l alice@127.0.0.1',
      '@127.0.0.1',
      '-l @127.0.0.1',
      'bob@127.0.0.1',
      'a@b@127.0.0.1',
    ];
    const { stdout } = await runWell('unshare', [...NAMESPACE, process.execPath, SCRIPT, finger, ...queries]);
    const answers = JSON.parse(stdout.trim().split('\n').at(-1)!) as string[];
    const [short = '', full = '', list = '', fullList = '', nobody = '', forwarded = ''] = answers;
    expect(short).toMatch(/Inbox: alice@example\.test\s+1 message, \d+ B, newest 2026-11-20 10:00 UTC/);
    expect(full).toMatch(/ 1 {2}2026-11-20 10:00 UTC .* sender@example\.org {2}.*red.*title.*done/);
    expect(list).toContain('alice@example.test: 1 message');
    expect(fullList).toContain('alice@example.test: 1 message');
    expect(nobody).toContain('No such user');
    expect(forwarded).toContain('Finger forwarding service denied');
    for (const answer of answers) expect(answer).not.toMatch(/[^\x20-\x7e\r\n\t]/);
  });
});
