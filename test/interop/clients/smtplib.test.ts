import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../../support/daemon-process.ts';
import { describeWithPeers } from '../../support/peers.ts';
import { runWell } from '../../support/run.ts';
import { AWKWARD, watch } from './watched.ts';

const IMPORTS = `
import smtplib, sys
from email.message import EmailMessage
from email import policy
port = int(sys.argv[1])
`;

describeWithPeers('Python smtplib', ['python3'], ({ python3 }) => {
  let daemon: DaemonProcess;
  beforeAll(async () => {
    daemon = await startDaemon({ args: ['--listen', 'lmtp://127.0.0.1:0'] });
  });
  afterAll(() => daemon.stop());

  const python = (port: number, script: string, stdin = '') =>
    runWell(python3, ['-c', IMPORTS + script, String(port)], { stdin, env: { PYTHONIOENCODING: 'utf-8' } });

  it('delivers a composed message with an attachment', async () => {
    const { contents } = await watch(daemon, (port) =>
      python(
        port,
        `
message = EmailMessage()
message['From'], message['To'], message['Subject'] = 'ada@out.example', 'a@in.example, b@in.example', 'Grüße'
message.set_content('Plain\\n.\\n..\\nGrüße\\n')
message.add_attachment(bytes(range(256)) * 400, maintype='application', subtype='octet-stream', filename='all.bin')
with smtplib.SMTP('127.0.0.1', port) as smtp: smtp.send_message(message)
`,
      ),
    );
    expect(contents[0]!.length).toBeGreaterThan(100_000);
  });

  it('delivers bytes unchanged', async () => {
    const { contents } = await watch(daemon, (port) =>
      python(
        port,
        `
content = sys.stdin.buffer.read()
with smtplib.SMTP('127.0.0.1', port) as smtp: smtp.sendmail('ada@out.example', ['a@in.example'], content, mail_options=['BODY=8BITMIME'])
`,
        AWKWARD,
      ),
    );
    expect(contents[0]!.toString()).toBe(AWKWARD);
  });

  it('uses SMTPUTF8 where addresses and headers need it (RFC 6531)', async () => {
    const { contents, said } = await watch(daemon, (port) =>
      python(
        port,
        `
message = EmailMessage(policy=policy.SMTPUTF8)
message['From'], message['To'], message['Subject'] = 'jörg@bücher.example', 'испытание@in.example', 'Grüße aus 北京'
message.set_content('Привет')
with smtplib.SMTP('127.0.0.1', port) as smtp: smtp.send_message(message)
`,
      ),
    );
    expect(said.toLowerCase()).toMatch(/^mail from:<j.*> .*smtputf8/m);
    expect(contents[0]!.toString()).toContain('испытание@in.example');
  });

  it('delivers over LMTP', async () => {
    const port = Number(new URL(daemon.url('lmtp')).port);
    const { said } = await watch(
      daemon,
      (tap) =>
        python(
          tap,
          `
with smtplib.LMTP('127.0.0.1', port) as lmtp: lmtp.sendmail('ada@out.example', ['a@in.example'], 'Subject: LMTP\\r\\n\\r\\nHello\\r\\n')
`,
        ),
      port,
    );
    expect(said.toLowerCase()).toMatch(/^lhlo /);
  });

  it('finds each extension that it asks for', async () => {
    const { stdout } = await python(
      daemon.smtpPort,
      `
with smtplib.SMTP('127.0.0.1', port) as smtp:
    smtp.ehlo()
    print(' '.join(sorted(smtp.esmtp_features)))
    print(*smtp.verify('someone@in.example')[:1], *smtp.noop()[:1], *smtp.rset()[:1], *smtp.docmd('HELP')[:1])
`,
    );
    const [features, codes] = stdout.split('\n');
    expect(features!.split(' ')).toEqual(
      expect.arrayContaining([
        '8bitmime',
        'binarymime',
        'chunking',
        'dsn',
        'enhancedstatuscodes',
        'pipelining',
        'size',
        'smtputf8',
      ]),
    );
    expect(codes).toBe('252 250 250 214');
  });
});
