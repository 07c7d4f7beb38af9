import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { createId } from '../../src/mail/message.ts';
import { createSqliteStore } from '../../src/store/sqlite/store.ts';
import { sampleMessage } from '../store/support.ts';

/*
 * Saves messages and prints messages per second, the main thread's time per message and the slowest save.
 *   node test/bench/store.ts --callers 100 --messages 50000 --bytes 4096 --keep 500 --inboxes 1000
 */
const { values } = parseArgs({
  options: {
    callers: { type: 'string', default: '100' },
    messages: { type: 'string', default: '30000' },
    bytes: { type: 'string', default: '4096' },
    keep: { type: 'string', default: '0' },
    inboxes: { type: 'string', default: '1000' },
    data: { type: 'string' },
  },
});
const callers = Number(values.callers);
const messages = Number(values.messages);
const bytes = Number(values.bytes);
const inboxes = Number(values.inboxes);

const directory = values.data ?? mkdtempSync(join(tmpdir(), 'inboxd-bench-'));
const store = await createSqliteStore({
  directory,
  naming: 'full',
  keepPerInbox: Number(values.keep),
  keepBytes: 0,
  keepAgeMs: 0,
  report: (report) => {
    if (report.type === 'crash') console.error(report.where, report.error);
  },
});
const headers = [
  'Received: from client.example.org (client.example.org [192.0.2.1]) by mx.example.com with ESMTP id 12345',
  'Date: Fri, 21 Nov 1997 09:55:06 -0600',
  'From: "A sender" <sender@example.org>',
  'To: "A recipient" <someone@example.com>, other@example.com',
  'Subject: A message of the usual size',
  'Message-ID: <1234@local.node.example>',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
].join('\r\n');
const line = `${'x'.repeat(70)}\r\n`;
const raw = Buffer.from(`${headers}\r\n\r\n${line.repeat(bytes / 72 + 1)}`.slice(0, bytes));

let sent = 0;
const latencies: number[] = [];
async function caller(): Promise<void> {
  while (sent < messages) {
    const to = [`inbox${sent++ % inboxes}@example.com`];
    const began = performance.now();
    await store.save(sampleMessage({ id: createId(), raw, to }));
    latencies.push(performance.now() - began);
  }
}

const began = performance.now();
const cpu = process.threadCpuUsage();
await Promise.all(Array.from({ length: callers }, caller));
const seconds = (performance.now() - began) / 1000;
const { user, system } = process.threadCpuUsage(cpu);
latencies.sort((a, b) => a - b);
const at = (share: number) =>
  latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))]!.toFixed(2);
console.log(
  `${callers} callers, ${bytes} octets: ${Math.round(messages / seconds)} messages/s, main thread ` +
    `${((user + system) / messages).toFixed(1)} us each, ms median ${at(0.5)}, 99 % ${at(0.99)}, slowest ${at(1)}`,
);
await store.close();
if (values.data === undefined && directory !== ':memory:') rmSync(directory, { recursive: true });
