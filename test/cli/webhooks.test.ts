import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../support/daemon-process.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';
import { Receiver } from '../webhooks/receiver.ts';
import { Folder, inboxd } from './support.ts';

describe('inboxd webhooks', { timeout: 60_000 }, () => {
  const folder = new Folder();
  const data = folder.at('data');
  let receiver: Receiver;
  let daemon: DaemonProcess;
  let id: string;

  const command = (...args: string[]) => inboxd(['webhooks', ...args, '--data', data]);

  beforeAll(async () => {
    receiver = await Receiver.open();
    receiver.answer = () => 503;
    const webhooks = JSON.stringify({ ci: { url: receiver.url('/hook?key=s3cr3t') } });
    const args = ['--webhooks', webhooks, '--webhook-allow-private', '--webhook-attempts', '1'];
    daemon = await startDaemon({ data, args });
    const client = await SmtpClient.open(daemon.smtpPort);
    const content = Buffer.from('Subject: red \u202e\r\n\r\nhello\r\n');
    [id = ''] = await deliver(client, { from: 'a@x.test', to: ['b@x.test'], content });
    await client.quit();
    await until(() => daemon.log.some(({ msg }) => msg === 'webhook given up'));
  });
  afterAll(async () => {
    await daemon.stop();
    await receiver[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  it('lists them, what waits and what was given up, and tells no secret', async () => {
    const { code, stdout } = await command();
    expect(code).toBe(0);
    const [head, row, ...others] = stdout.trimEnd().split('\n');
    expect(head).toMatch(/^WEBHOOK +HOST +STATE +WAITING +SINCE +GIVEN UP +LAST ATTEMPT$/);
    expect(row).toMatch(/^ci +127\.0\.0\.1:\d+ +failing +0 +- +1 +\S+ \S+ answered 503 \(\d+ ms\)$/);
    expect(others).toEqual([]);
    expect(JSON.parse((await command('list', '--json')).stdout)).toMatchObject([
      { name: 'ci', dead: 1, signed: false },
    ]);
    expect(`${stdout}${daemon.output()}`).not.toContain('s3cr3t');
  });

  it('lists what was given up, with nothing that talks to a terminal', async () => {
    const { code, stdout } = await command('dead', 'ci');
    expect(code).toBe(0);
    expect(stdout).toContain(`${id}:ci`);
    expect(stdout).toContain('answered 503, after 1 attempt');
    expect(stdout).not.toContain('\u202e');
  });

  it('says how a test went', async () => {
    expect(await command('test', 'ci')).toMatchObject({ code: 1, stderr: expect.stringMatching(/^inboxd: ci: answered 503 \(\d+ ms\)\n$/) }); // biome-ignore format: a row
    receiver.answer = () => 204;
    expect(await command('test', 'ci')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ci: 204 \(\d+ ms\)\n$/) }); // biome-ignore format: a row
  });

  it('delivers again what was given up', async () => {
    expect(await command('replay', 'ci')).toMatchObject({ code: 2, stderr: expect.stringContaining('either ids, or --all') }); // biome-ignore format: a row
    receiver.answer = () => 200;
    const before = receiver.received.length;
    expect(await command('replay', 'ci', '--all')).toMatchObject({ code: 0, stdout: '1 to be delivered again\n' });
    await until(() => receiver.received.length > before);
    expect(receiver.received.at(-1)!.body.delivery.id).toBe(`${id}:ci`);
    await until(async () => (await command('dead', 'ci')).code === 1);
    expect(await command('replay', 'ci', '--all')).toMatchObject({ code: 1 });
  });

  it('knows what it does not know', async () => {
    const { code, stderr } = await command('test', 'nix');
    expect([code, stderr]).toEqual([2, expect.stringContaining('There is no such webhook')]);
  });

  it('says how to make some where there are none', async () => {
    await using other = await startDaemon();
    const { code, stderr } = await inboxd(['webhooks', '--data', other.data]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('there are no webhooks')]);
  });
});
