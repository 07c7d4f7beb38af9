import { afterEach, describe, expect, it } from 'vitest';
import { createDaemon, type Daemon } from '../../src/index.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';

let daemon: Daemon | undefined;
afterEach(async () => {
  await daemon?.stop({ graceMs: 0 });
  daemon = undefined;
});

const url = (protocol: string): string => daemon!.listeners.find((one) => one.protocol === protocol)!.url;

describe('/metrics', () => {
  it('tells what a mail and requests left, by route and not by what was asked', async () => {
    daemon = await createDaemon({ listen: ['smtp://127.0.0.1:0', 'http://127.0.0.1:0'], data: ':memory:' });
    const client = await SmtpClient.open(Number(new URL(url('smtp')).port));
    const content = Buffer.from('Subject: counted\r\n\r\nx\r\n');
    const [id] = await deliver(client, { from: 'a@b.test', to: ['c@d.test'], content });
    await client.expect(501, 'RCPT nonsense').catch(() => {});
    await client.quit();
    await fetch(`${url('http')}/api/messages/${id}`);
    await fetch(`${url('http')}/no/such/place`);
    const response = await fetch(`${url('http')}/metrics`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; .*version=/);
    const text = await response.text();
    expect(text).toContain('inboxd_messages_total{protocol="SMTP",result="accepted"} 1');
    expect(text).toContain('inboxd_store_commit_messages_count 1');
    expect(text).toContain('inboxd_store_messages 1');
    expect(text).toMatch(/^inboxd_refusals_total\{protocol="SMTP",phase="\w+",reason="[\w -]+"\} 1$/m);
    expect(text).toContain('inboxd_http_requests_total{method="GET",route="/api/messages/:id",code="200"} 1');
    expect(text).toContain('inboxd_http_requests_total{method="GET",route="none",code="404"} 1');
    expect(text).not.toContain(id);
  });
});

describe('/api/health', () => {
  it('says that the daemon lives and takes messages', async () => {
    daemon = await createDaemon({ listen: ['http://127.0.0.1:0'], data: ':memory:' });
    const response = await fetch(`${url('http')}/api/health`);
    expect([response.status, await response.json()]).toEqual([200, { live: true, ready: true }]);
    await daemon.store.close();
    const after = await fetch(`${url('http')}/api/health`);
    expect([after.status, await after.json()]).toEqual([503, { live: true, ready: false }]);
  });
});
