import { afterEach, describe, expect, it } from 'vitest';
import { createCaller } from '../../src/eurechat/caller.ts';
import { DIRECTORY_LIMITS } from '../../src/eurechat/limits.ts';
import { noticeOf } from '../../src/eurechat/notice.ts';
import { type Manner, TestEndpoint } from '../support/eurechat-client.ts';

/** Long enough for a machine that has more to do. */
const LIMITS = { ...DIRECTORY_LIMITS, connectMs: 60_000, pongMs: 60_000 };
const caller = createCaller(LIMITS);
const here = (port: number) => ({ address: '127.0.0.1', port, source: '127.0.0.1' });
const NOTICE = noticeOf({ id: '01abc', from: null, subject: 'hello', bytes: 1500 }, 200);

describe('a call to an endpoint', () => {
  afterEach(() => caller.close());

  it.each([
    ['answers', undefined],
    ['errs', 'the answer is no PONG'],
    ['hangs up', 'hung up without a PONG'],
  ] satisfies [Manner, string | undefined][])('that %s to a PING', async (manner, trouble) => {
    await using endpoint = await TestEndpoint.listen(manner);
    const answer = caller.ping(here(endpoint.port));
    await (trouble === undefined ? expect(answer).resolves.toBeUndefined() : expect(answer).rejects.toThrow(trouble));
    expect(endpoint.heard).toEqual(['PING 0']);
  });

  it('that hangs is not waited for', async () => {
    const hasty = createCaller({ ...LIMITS, pongMs: 50 });
    await using endpoint = await TestEndpoint.listen('hangs');
    await expect(hasty.ping(here(endpoint.port))).rejects.toThrow('no PONG within 50 ms');
  });

  it('that refuses connections', async () => {
    const endpoint = await TestEndpoint.listen();
    const { port } = endpoint;
    await endpoint.close();
    for (const call of [caller.reach(here(port)), caller.ping(here(port)), caller.tell(here(port), NOTICE)]) {
      await expect(call).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    }
  });

  it('only sees whether somebody is there, and says nothing', async () => {
    await using endpoint = await TestEndpoint.listen();
    await caller.reach(here(endpoint.port));
    await caller.tell(here(endpoint.port), NOTICE);
    expect(endpoint.calls).toBe(2);
    expect(endpoint.heard).toEqual(['MESSAGE 22 inboxd\n01abc  <>  hello  2 kB']);
  });

  it('that keeps the line after a notice is hung up on', async () => {
    await using endpoint = await TestEndpoint.listen('hangs');
    await caller.tell(here(endpoint.port), Buffer.from('PING 0\n')); // which it leaves without an answer, and open
    expect(endpoint.heard).toEqual(['PING 0']);
  });

  it('is over when all are ended', async () => {
    const own = createCaller(LIMITS);
    await using endpoint = await TestEndpoint.listen('hangs');
    const answer = own.ping(here(endpoint.port));
    const rejected = expect(answer).rejects.toThrow('hung up without a PONG');
    while (endpoint.heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    own.close();
    await rejected;
  });

  it('Server-side requests: is looked at again, and not made to any but the own address of a client', async () => {
    await using endpoint = await TestEndpoint.listen();
    for (const source of ['192.0.2.7', 'local host', '::1']) {
      const place = { address: '127.0.0.1', port: endpoint.port, source };
      for (const call of [caller.reach(place), caller.ping(place), caller.tell(place, NOTICE)]) {
        await expect(call).rejects.toThrow('not the own address of its client');
      }
    }
    expect(endpoint.calls).toBe(0);
  });
});
