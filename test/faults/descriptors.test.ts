/** A process that may open no more files: nobody is served badly for ever, and nothing is lost. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DaemonProcess, startDaemon } from '../support/daemon-process.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';

const BIN = fileURLToPath(new URL('../../bin/inboxd.ts', import.meta.url));
/** Above what a daemon at rest has open. */
const DESCRIPTORS = 120;
const LARGE = Buffer.from(`Subject: large\r\n\r\n${'x'.repeat(998).concat('\r\n').repeat(400)}`);
const SMALL = Buffer.from('Subject: small\r\n\r\nHello\r\n');

let daemon: DaemonProcess;
beforeAll(async () => {
  const command = ['sh', '-c', `ulimit -n ${DESCRIPTORS}; exec "$@"`, 'sh', process.execPath, BIN];
  daemon = await startDaemon({ command });
});
afterAll(() => daemon?.stop());

it('lives when clients take every descriptor, keeps what it acknowledged, and serves who comes after', {
  timeout: 120_000,
}, async () => {
  const ids: string[] = [];
  const send = async (client: SmtpClient, content: Buffer): Promise<void> => {
    ids.push(...(await deliver(client, { from: 'a@b.test', to: ['fd@in.test'], content })));
  };
  const honest = await SmtpClient.open(daemon.smtpPort);
  await send(honest, LARGE);
  await send(honest, SMALL);

  // connecting works as long as the kernel's queue takes it; whether they are served is what runs out
  const crowd = await Promise.allSettled(Array.from({ length: 200 }, () => SmtpClient.connect(daemon.smtpPort)));
  const clients = crowd.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const greeted = await Promise.all(
    clients.map((client) =>
      Promise.race([
        client.greeted().then(
          () => true,
          () => false,
        ),
        new Promise<false>((resolve) => setTimeout(resolve, 5_000, false)),
      ]),
    ),
  );
  expect(greeted.filter(Boolean).length).toBeGreaterThan(10);
  expect(greeted.filter((served) => !served).length).toBeGreaterThan(50);

  // who is in goes on: what needs no new file is taken, what needs one is refused for now
  await send(honest, SMALL);
  const refusal = await send(honest, LARGE).then(
    () => undefined,
    (error: Error) => error.message,
  );
  if (refusal !== undefined) expect(refusal).toMatch(/\b45[12]\b/);

  await Promise.all(clients.map((client) => client.drop()));
  await honest.drop();
  // the daemon learns of each that has gone in its own time, and until then still closes who comes
  let late: SmtpClient | undefined;
  await until(async () => {
    late = await SmtpClient.open(daemon.smtpPort).catch(() => undefined);
    return late !== undefined;
  });
  await send(late!, SMALL);
  await expect
    .poll(
      () =>
        send(late!, LARGE).then(
          () => true,
          () => late!.command('RSET').then(() => false),
        ),
      { timeout: 30_000 },
    )
    .toBe(true);
  await late!.quit();
  const { messages } = await daemon.list();
  expect(messages.map(({ ID }) => ID).toSorted()).toEqual(ids.toSorted());
});
