/** A daemon that asks milters, as its users meet it. */
import { expect, it } from 'vitest';
import { startDaemon } from '../support/daemon-process.ts';
import { FakeMilter } from '../support/fake-milter.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';

const mail = {
  from: 'ann@example.test',
  to: ['bob@example.test'],
  content: Buffer.from('Subject: hi\r\n\r\nHello\r\n'),
};

it('keeps what milters leave and what came, and tells of it in log and metrics', async () => {
  const milter = await FakeMilter.start(({ kind }) =>
    kind === 'end' ? [{ kind: 'addHeader', name: 'X-Mine', value: 'v' }, { kind: 'continue' }] : undefined,
  );
  await using daemon = await startDaemon({ args: ['--milter', milter.address('?name=mine')] });
  const client = await SmtpClient.open(daemon.smtpPort);
  const [id] = await deliver(client, mail);
  await client.quit();
  const source = async (form: string): Promise<string> =>
    (await fetch(`${daemon.httpUrl}/api/messages/${id}/raw?form=${form}`, { headers: { connection: 'close' } })).text();
  expect(await source('edited')).toBe('Subject: hi\r\nX-Mine: v\r\n\r\nHello\r\n');
  expect(await source('received')).toBe(mail.content.toString());
  await expect
    .poll(() => daemon.log)
    .toContainEqual(
      expect.objectContaining({
        msg: 'milter',
        milter: 'mine',
        phase: 'message',
        edits: 1,
        what: ['add-header X-Mine: v'],
      }),
    );
  const metrics = await (await fetch(`${daemon.httpUrl}/metrics`, { headers: { connection: 'close' } })).text();
  expect(metrics).toContain('inboxd_milter_verdicts_total{milter="mine",phase="message",verdict="continue"} 1');
  const { i } = milter.asked().macros('M')!;
  const line = daemon.log.find(({ msg }) => msg === 'message')!;
  expect(i).toBe(`${line.session}.1`); // a milter's log leads to ours
  await milter.stop();
});

it('stops at once, however many sessions milters are asked about', async () => {
  const milter = await FakeMilter.start(({ kind }) => (kind === 'mail' ? [] : undefined));
  await using daemon = await startDaemon({ args: ['--milter', milter.address(), '--grace', '0s'] });
  const clients = await Promise.all(Array.from({ length: 5 }, () => SmtpClient.open(daemon.smtpPort)));
  for (const client of clients) await client.write('MAIL FROM:<a@b.test>\r\n');
  await expect.poll(() => milter.connections.filter(({ letters }) => letters.endsWith('M'))).toHaveLength(5);
  expect(await daemon.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  await expect.poll(() => milter.connections.every(({ isClosed }) => isClosed)).toBe(true);
  await milter.stop();
});
