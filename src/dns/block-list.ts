/** A zone of the DNS that lists addresses (RFC 5782), and which of its answers count. */
export interface BlockList {
  readonly zone: string;
  /** For each octet of an answer the ranges that count; any answer in 127.0.0.0/8 if absent. */
  readonly answers?: readonly (readonly (readonly [from: number, to: number])[])[];
}

/**
 * Reads a list as it is configured: `zen.example.org`, or with the answers that count
 * `zen.example.org=127.0.0.[2..4;10..11]`.
 */
export function parseBlockList(text: string): BlockList | undefined {
  const [zone = '', pattern, ...more] = text.split('=');
  if (more.length > 0 || zone.length > 180 || !/^(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.)+[a-z0-9-]{2,63}$/i.test(zone))
    return undefined;
  if (pattern === undefined) return { zone };
  const octets = pattern.split(/\.(?![^[]*\])/);
  const answers = octets.map(parseOctet);
  if (answers.length !== 4 || answers.includes(undefined)) return undefined;
  return { zone, answers: answers as NonNullable<BlockList['answers']> };
}

function parseOctet(text: string): (readonly [number, number])[] | undefined {
  const ranges = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1).split(';') : [text];
  const parsed = ranges.map((range): readonly [number, number] | undefined => {
    const match = /^(\d{1,3})(?:\.\.(\d{1,3}))?$/.exec(range);
    if (!match) return undefined;
    const from = Number(match[1]);
    const to = Number(match[2] ?? match[1]);
    return from <= to && to <= 255 ? [from, to] : undefined;
  });
  return parsed.includes(undefined) ? undefined : (parsed as (readonly [number, number])[]);
}

/** What an answer of a list says of the address asked about. `refused`: the list does not answer us (127.255.255.x). */
export function judgeAnswer({ answers }: BlockList, answer: string): 'listed' | 'refused' | 'other' {
  const octets = answer.split('.').map(Number);
  if (octets[0] !== 127) return 'other'; // not from a list: a zone that was given up and answers everything
  if (octets[1] === 255 && octets[2] === 255) return 'refused';
  if (!answers) return 'listed';
  const counts = answers.every((ranges, place) =>
    ranges.some(([from, to]) => octets[place]! >= from && octets[place]! <= to),
  );
  return counts ? 'listed' : 'other';
}
