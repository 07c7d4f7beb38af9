/**
 * SMTP smuggling with real relays in between. A relay is given each hostile content by BDAT, which leaves no doubt where
 * it ends, and hands it on as it sees fit. Whatever it makes of it: one message was handed in, and no more than that one
 * arrives; what the relay passes on with bare newlines is refused, or kept under a flag.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startExim } from '../interop/mta/exim.ts';
import { startPostfix } from '../interop/mta/postfix.ts';
import { linesWith, type Mta } from '../interop/mta/relay.ts';
import { type DaemonProcess, startDaemon } from '../support/daemon-process.ts';
import { describeWithPeers } from '../support/peers.ts';
import { SmtpClient, SmtpRefusal, submit } from '../support/smtp-client.ts';
import { FALSE_ENDS, SECOND, shown } from './hostile-ends.ts';

const PATIENCE_MS = 120_000;

async function openWhenUp(mta: Mta): Promise<SmtpClient> {
  for (const give = Date.now() + PATIENCE_MS; ; await pause(100)) {
    try {
      return await SmtpClient.open(mta.port);
    } catch (error) {
      if (Date.now() > give) throw new Error(`relay does not answer: ${error}\n${mta.log()}`);
    }
  }
}

/** Hands all of it in; gives the numbers of what the relay took. */
async function handIn(mta: Mta): Promise<number[]> {
  const taken: number[] = [];
  for (const [number, end] of FALSE_ENDS.entries()) {
    const content = Buffer.from(`Subject: hostile ${number}\r\n\r\ntext${end}${SECOND}`);
    const client = await openWhenUp(mta);
    try {
      await submit(client, { from: '', to: [`box${number}@in.example`], content }, { by: 'BDAT' });
      taken.push(number);
    } catch (error) {
      if (!(error instanceof SmtpRefusal)) throw error; // a relay may refuse it itself
    } finally {
      await client.drop();
    }
  }
  return taken;
}

/** One round through a relay; `settled` matches its log line for a message that is delivered or given up. */
async function relay(start: (port: number) => Promise<Mta>, settled: RegExp, args: readonly string[]): Promise<void> {
  const daemon: DaemonProcess = await startDaemon({ args });
  let mta: Mta | undefined;
  try {
    mta = await start(daemon.smtpPort);
    const taken = await handIn(mta);
    expect(taken.length).toBeGreaterThan(FALSE_ENDS.length / 2);
    for (const give = Date.now() + PATIENCE_MS; linesWith(mta, settled).length < taken.length; await pause(200)) {
      if (Date.now() > give) throw new Error(`the relay has not settled all:\n${mta.log()}`);
    }
    const { messages } = await daemon.list();
    for (const number of taken) {
      const subjects = messages.map(({ Subject }) => Subject).filter((subject) => subject === `hostile ${number}`);
      if (args.length > 0) expect(subjects.length, shown(FALSE_ENDS[number]!)).toBe(1);
      else expect(subjects.length, shown(FALSE_ENDS[number]!)).toBeLessThanOrEqual(1);
    }
    expect(messages.map(({ Subject }) => Subject).filter((subject) => !subject.startsWith('hostile '))).toEqual([]);
    expect(messages.length).toBeLessThanOrEqual(taken.length);
    const heard = daemon.log
      .filter(({ msg }) => msg === 'message')
      .flatMap((entry) => [String(entry.from), String(entry.to)]);
    expect(heard.filter((address) => /evil|victim/.test(address))).toEqual([]);
  } finally {
    await mta?.stop();
    await daemon.stop();
  }
}

const MODES = [
  ['kept', ['--bare-newlines', 'keep']],
  ['refused', []],
] as const;

describeWithPeers('SMTP smuggling: through Postfix', ['postfix'], ({ postfix }) => {
  it.each(MODES)(
    'one message in is one message out, where bare newlines are %s',
    { timeout: 3 * PATIENCE_MS },
    async (_mode, args) => {
      await relay((port) => startPostfix(postfix, port), /: removed$/, args);
    },
  );
});

describeWithPeers('SMTP smuggling: through Exim', ['exim4'], ({ exim4 }) => {
  it.each(MODES)(
    'one message in is one message out, where bare newlines are %s',
    { timeout: 3 * PATIENCE_MS },
    async (_mode, args) => {
      for (const chunking of ['', '*'] as const)
        await relay((port) => startExim(exim4, port, chunking), / (?:=>|\*\*) /, args);
    },
  );
});
