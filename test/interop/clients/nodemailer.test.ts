import nodemailer from 'nodemailer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../../support/daemon-process.ts';
import { AWKWARD, watch } from './watched.ts';

describe('nodemailer', () => {
  let daemon: DaemonProcess;
  beforeAll(async () => {
    daemon = await startDaemon();
  });
  afterAll(() => daemon.stop());

  const transport = (port: number, more: object = {}) =>
    nodemailer.createTransport({ host: '127.0.0.1', port, ignoreTLS: true, ...more });

  it('delivers text, HTML and attachments', async () => {
    const { contents } = await watch(daemon, async (port) => {
      const info = await transport(port).sendMail({
        from: '"Ada Lovelace" <ada@out.example>',
        to: ['charles@in.example', 'mary@in.example'],
        bcc: 'secret@in.example',
        subject: 'Grüße aus 北京 ✉',
        text: 'Plain\n.\n..\nGrüße',
        html: '<p>Rich <img src="cid:pic"></p>',
        attachments: [
          { filename: 'naïve.bin', content: Buffer.alloc(100_000, 'ab\0\xff\r\n.', 'latin1') },
          { filename: 'pic.png', content: Buffer.from('89504e47', 'hex'), cid: 'pic' },
        ],
      });
      expect(info.accepted).toEqual(['charles@in.example', 'mary@in.example', 'secret@in.example']);
      expect(info.response).toMatch(/^250 2\.0\.0 OK queued as [0-9a-z]+$/);
    });
    expect(contents[0]!.length).toBeGreaterThan(130_000);
  });

  it('delivers a raw message unchanged', async () => {
    const envelope = { from: 'ada@out.example', to: 'a@in.example' };
    const { contents } = await watch(daemon, (port) => transport(port).sendMail({ envelope, raw: AWKWARD }));
    expect(contents[0]!.toString()).toBe(AWKWARD);
  });

  it('delivers 50 messages over a pool of 5 connections', async () => {
    const pool = transport(daemon.smtpPort, { pool: true, maxConnections: 5 });
    const sent = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        pool.sendMail({ from: 'ada@out.example', to: `pool-${n}@in.example`, subject: `Pool ${n}`, text: 'x' }),
      ),
    );
    pool.close();
    const ids = sent.map(({ response }) => response.split(' ').at(-1)!);
    expect(new Set(ids).size).toBe(50);
    for (const [n, id] of ids.entries()) expect((await daemon.raw(id)).toString()).toContain(`Subject: Pool ${n}\r\n`);
  });

  it('uses SMTPUTF8 for a local part that needs it (RFC 6531)', async () => {
    const { said } = await watch(daemon, (port) =>
      transport(port).sendMail({ from: 'jörg@out.example', to: 'испытание@in.example', subject: 'Привет', text: 'x' }),
    );
    expect(said).toMatch(/^MAIL FROM:<j.*@out\.example>.* SMTPUTF8/m);
  });

  it('asks for delivery status notifications (RFC 3461)', async () => {
    const dsn = {
      id: 'some-id',
      return: 'headers',
      notify: ['failure', 'delay'],
      recipient: 'ada@out.example',
    } as const;
    const { said } = await watch(daemon, (port) =>
      transport(port).sendMail({
        from: 'ada@out.example',
        to: 'a@in.example',
        text: 'x',
        dsn: { ...dsn, notify: [...dsn.notify] },
      }),
    );
    expect(said).toMatch(/^MAIL FROM:<ada@out\.example>.* RET=HDRS/m);
    expect(said).toMatch(/^RCPT TO:<a@in\.example> NOTIFY=FAILURE,DELAY/m);
  });
});
