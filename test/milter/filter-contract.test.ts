import { createMemorySpool } from '../../src/mail/content.ts';
import { prepareMilters } from '../../src/milter/filter.ts';
import type { FromMilter } from '../../src/milter/packets.ts';
import { type FilterUnderTest, filterContract } from '../contracts/filter.ts';
import { FakeMilter } from '../support/fake-milter.ts';
import { settingsOf } from './support.ts';

async function milterThat(end: readonly FromMilter[]): Promise<FilterUnderTest> {
  const milter = await FakeMilter.start(({ kind }) => (kind === 'end' ? end : undefined));
  const [filter] = prepareMilters(settingsOf([milter.address('?name=mine')]))({
    hostname: 'mx.test',
    software: 'inboxd 1',
    listener: { name: 'smtp', path: '/run/inboxd' },
    spool: createMemorySpool(),
    contentBytes: 1000,
    recipients: 100,
    report: () => {},
  });
  return { filter: filter!, close: () => milter.stop() };
}

filterContract('that asks a milter', () => milterThat([{ kind: 'continue' }]));
filterContract('that asks a milter which changes everything', () =>
  milterThat([
    { kind: 'addHeader', name: 'X', value: 'v' },
    { kind: 'replaceBody', octets: Buffer.from('new\r\n') },
    { kind: 'changeSender', address: '<>', words: undefined },
    { kind: 'addRecipient', address: 'x@y.test' },
    { kind: 'continue' },
  ]),
);
filterContract('that asks a milter which refuses', () => milterThat([{ kind: 'reject' }]));
filterContract('that asks a milter which is gone', async () => {
  const { filter, close } = await milterThat([]);
  await close?.();
  return { filter };
});
