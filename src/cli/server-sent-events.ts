/** One event of a stream (HTML §9.2.6). */
export interface ServerSentEvent {
  readonly type: string;
  /** Id of this event or the last before it; '' if there was none. */
  readonly id: string;
  readonly data: string;
}

const LINE_CHARACTERS = 16 * 1024 * 1024;

/**
 * Reads a stream of server-sent events.
 * @param onId is told of every id, also of one that comes without an event
 */
export async function* readEvents(
  stream: AsyncIterable<string>,
  onId: (id: string) => void,
): AsyncGenerator<ServerSentEvent> {
  let type = '';
  let id = '';
  let data: string[] = [];
  for await (const line of readLines(stream)) {
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (line === '') {
      if (id !== '') onId(id);
      if (data.length > 0) yield { type: type === '' ? 'message' : type, id, data: data.join('\n') };
      type = '';
      data = [];
    } else if (field === 'event') type = value;
    else if (field === 'data') data.push(value);
    else if (field === 'id' && !value.includes('\0')) id = value;
  }
}

/** Lines without their ends; what stands behind the last end is of an event that never came whole. */
async function* readLines(stream: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const text of stream) {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? '';
    if (rest.length > LINE_CHARACTERS) throw new Error('a line of the stream does not end');
    yield* lines;
  }
}
