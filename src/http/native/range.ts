/** Octets of a content, both ends included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Reads a Range field for a content of known length (RFC 9110 §14.1.2).
 * @returns undefined for the whole content: no field, another unit, several ranges or nonsense; `none` if nothing is there
 */
export function parseRange(field: string | undefined, length: number): ByteRange | 'none' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(field?.trim() ?? '');
  if (match === null) return undefined;
  const [from, to] = [match[1]!, match[2]!];
  if (from === '' && to === '') return undefined;
  if (from === '')
    return Number(to) === 0 || length === 0 ? 'none' : { first: Math.max(0, length - Number(to)), last: length - 1 };
  const last = to === '' ? length - 1 : Math.min(Number(to), length - 1);
  if (Number(from) >= length) return 'none';
  return to !== '' && Number(to) < Number(from) ? undefined : { first: Number(from), last };
}

/** Gives the octets of a range out of a stream that starts at 0. */
export async function* sliceStream(stream: AsyncIterable<Buffer>, { first, last }: ByteRange): AsyncGenerator<Buffer> {
  let at = 0;
  for await (const view of stream) {
    const from = Math.max(0, first - at);
    const to = Math.min(view.length, last + 1 - at);
    if (from < to) yield view.subarray(from, to);
    at += view.length;
    if (at > last) return;
  }
}
