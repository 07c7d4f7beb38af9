import { isIP } from 'node:net';
import { readProxyHeader } from '../../../src/wire/proxy-header.ts';
import { pick } from '../../support/random.ts';
import { mutate, noise, small, text } from '../generate.ts';
import { Finding, sound, type Target } from '../target.ts';

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V1 = [
  'PROXY TCP4 192.0.2.1 192.0.2.2 65535 25\r\n',
  'PROXY TCP6 2001:db8::1 ::1 1 2\r\n',
  'PROXY UNKNOWN\r\n',
  'PROXY TCP4\r\n',
].map((line) => Buffer.from(line));

/** A header of version 2 whose fields need not agree. */
function v2(random: () => number): Buffer {
  const body = noise(random, 300);
  const head = Buffer.from([
    pick(random, [0x20, 0x21, 0x2f, random() * 256]),
    pick(random, [0x00, 0x11, 0x21, 0x31, random() * 256]),
    0,
    0,
  ]);
  head.writeUInt16BE(random() < 0.7 ? body.length : Math.floor(random() * 65_536), 2);
  return Buffer.concat([SIGNATURE, head, body]);
}

/** The longest header that is taken. */
const MOST_BYTES = 16 + 4096;

/** Headers of the PROXY protocol, whole, mutated, and as they arrive. */
export const proxy: Target = {
  name: 'proxy',
  share: 10,
  deadlineMs: 250,
  run(random) {
    const whole =
      random() < 0.4 ? v2(random) : random() < 0.8 ? pick(random, V1) : Buffer.from(`PROXY ${text(random, 6)}`);
    const input = Buffer.concat([random() < 0.5 ? whole : mutate(random, whole, V1), noise(random, 20)]);
    const shown = input.toString('latin1');
    sound(shown, () => {
      const found = readProxyHeader(input);
      if (found.state === 'complete') {
        if (found.bytes > input.length || found.bytes > MOST_BYTES)
          throw new Finding(`a header of ${found.bytes} octets`, shown);
        if (found.peer.address !== undefined && isIP(found.peer.address) === 0)
          throw new Finding(`an address ${found.peer.address}`, shown);
        const behind = readProxyHeader(Buffer.concat([input.subarray(0, found.bytes), noise(random, 20)]));
        if (JSON.stringify(behind) !== JSON.stringify(found))
          throw new Finding('what follows a header changes it', shown);
      }
      if (found.state === 'partial' && input.length >= MOST_BYTES) throw new Finding('waits beyond every bound', shown);
      // what was bad or complete as far as it had come stays so
      const start = readProxyHeader(input.subarray(0, small(random, input.length + 1)));
      if (start.state === 'bad' && found.state !== 'bad') throw new Finding('its start was bad and it is not', shown);
    });
  },
};
