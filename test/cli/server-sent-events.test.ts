import { describe, expect, it } from 'vitest';
import { readEvents, type ServerSentEvent } from '../../src/cli/server-sent-events.ts';

async function read(text: string, pieceCharacters: number): Promise<{ events: ServerSentEvent[]; ids: string[] }> {
  async function* pieces(): AsyncGenerator<string> {
    for (let at = 0; at < text.length; at += pieceCharacters) yield text.slice(at, at + pieceCharacters);
  }
  const events: ServerSentEvent[] = [];
  const ids: string[] = [];
  for await (const event of readEvents(pieces(), (id) => ids.push(id))) events.push(event);
  return { events, ids };
}

describe('a stream of events (HTML §9.2.6)', () => {
  it.each([1, 2, 7, 1000])('is read the same in pieces of %d characters', async (pieceCharacters) => {
    const text =
      'retry: 1000\nid: 4\n\n:\n\nevent: received\r\nid: 5\r\ndata: {"a":\r\ndata:1}\r\n\r\nunknown\ndata\n\nevent: cut\nid: 9\ndata: x\n';
    const { events, ids } = await read(text, pieceCharacters);
    expect(events).toEqual([
      { type: 'received', id: '5', data: '{"a":\n1}' },
      { type: 'message', id: '5', data: '' },
    ]);
    // what never came whole is asked for again, so its id must not count
    expect(ids.at(-1)).toBe('5');
    expect(ids[0]).toBe('4');
  });
});
