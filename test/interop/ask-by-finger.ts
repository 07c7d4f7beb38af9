/** Run in a network namespace of its own, where port 79 is free for everybody: a daemon, and Debian's finger asking it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createDaemon } from '../../src/daemon.ts';
import { mail, sampleMessage } from '../store/support.ts';

const [finger = 'finger', ...queries] = process.argv.slice(2);
const daemon = await createDaemon({
  listen: ['finger://127.0.0.1:79'],
  data: ':memory:',
  tls: 'off',
});
const receivedAt = new Date('2026-11-20T10:00:00Z');
const subject = '=?utf-8?B?G1szMW1yZWQbXTA7dGl0bGUH?= \u009bdone';
await daemon.store.save(sampleMessage({ raw: mail(subject), to: ['alice@example.test'], receivedAt }));
const answers: string[] = [];
for (const query of queries) {
  const { stdout } = await promisify(execFile)(finger, query.split(' '), { encoding: 'latin1' });
  answers.push(stdout);
}
await daemon.stop({ graceMs: 0 });
console.log(JSON.stringify(answers));
