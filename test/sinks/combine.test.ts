import { describe, expect, it } from 'vitest';
import { NO_PARAMS } from '../../src/mail/envelope.ts';
import type { Message } from '../../src/mail/message.ts';
import type { Report } from '../../src/mail/report.ts';
import type { Sink, Verdict } from '../../src/mail/sink.ts';
import { allOf, aside } from '../../src/sinks/combine.ts';

const yes: Verdict = { code: 250, enhanced: '2.0.0', text: 'Yes' };
const no: Verdict = { code: 550, enhanced: '5.7.1', text: 'No' };
const later: Verdict = { code: 451, enhanced: '4.3.0', text: 'Later' };
const { signal } = new AbortController();

const to = ['a', 'b'].map((local) => ({ path: { local, domain: 'x', text: `${local}@x` }, params: NO_PARAMS }));
const message = { envelope: { from: { path: null, params: NO_PARAMS }, to }, session: 's' } as unknown as Message;

describe('allOf', () => {
  it.each<[string, Sink[], unknown]>([
    ['accepts if all do', [() => undefined, async () => yes], yes],
    ['accepts without words if none has any', [() => undefined, () => undefined], undefined],
    ['refuses with the first refusal in order', [() => yes, () => later, () => no], later],
    ['judges each recipient where a sink does', [() => [yes, no], () => undefined], [yes, no]],
    ['refuses every recipient if one sink refuses the message', [() => [yes, no], () => later], [later, no]],
  ])('%s', async (_, sinks, verdict) => {
    expect(await allOf(...sinks)(message, signal)).toEqual(verdict);
  });

  it('waits for every sink before it fails with the one that threw', async () => {
    let finished = false;
    const slow: Sink = async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      finished = true;
    };
    const broken: Sink = () => {
      throw new Error('broken');
    };
    await expect(allOf(broken, slow)(message, signal)).rejects.toThrow('broken');
    expect(finished).toBe(true);
  });
});

describe('aside', () => {
  it.each<[string, Sink, string]>([
    ['a throw', () => Promise.reject(new Error('broken')), 'broken'],
    ['a refusal', () => no, 'refused'],
    ['a refusal of one recipient', () => [yes, no], 'refused'],
  ])('reports %s and accepts', async (_, sink, words) => {
    const reports: Report[] = [];
    expect(await aside(sink, (report) => reports.push(report))(message, signal)).toBeUndefined();
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatchObject({
      type: 'crash',
      where: 'sink',
      error: { message: expect.stringContaining(words) },
    });
  });

  it('says nothing when all is well', async () => {
    const reports: Report[] = [];
    await aside(
      () => yes,
      (report) => reports.push(report),
    )(message, signal);
    expect(reports).toEqual([]);
  });
});
