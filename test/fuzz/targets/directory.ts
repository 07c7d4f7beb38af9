import { setImmediate as turn } from 'node:timers/promises';
import { Directory } from '../../../src/eurechat/directory.ts';
import { DIRECTORY_LIMITS, EURECHAT_LIMITS } from '../../../src/eurechat/limits.ts';
import { parseUser } from '../../../src/eurechat/names.ts';
import { Session } from '../../../src/eurechat/session.ts';
import { eurechat } from '../../../src/eurechat/table.ts';
import { Connection } from '../../../src/wire/connection.ts';
import { FakeSocket } from '../../support/fake-socket.ts';
import { pick } from '../../support/random.ts';
import { passOf, ScriptedCaller, ScriptedFeed } from '../../support/scripted-directory.ts';
import { mutate, noise, small, text, token } from '../generate.ts';
import { Finding, type Target } from '../target.ts';

const PATIENCE_MS = 10_000;
const CLIENT = '127.0.0.1';
const ADDRESSES = [CLIENT, '127.0.0.2', '0.0.0.0', '::1', '::ffff:127.0.0.1', 'localhost', '2130706433', '192.0.2.1'];
const PORTS = ['5555', '1023', '80', '0', '65536', '05555', '0x15b3', '5555.0', '-1'];
const LIMITS = { ...EURECHAT_LIMITS, loginFailureDelayMs: 0, lingerMs: 20 };

function frameOf(random: () => number): string {
  const payload = random() < 0.1 ? text(random, 2) : '';
  const length = random() < 0.95 ? Buffer.byteLength(payload) : Math.floor(random() * 100_000);
  const words = pick(random, [
    ['BIND', pick(random, ADDRESSES), random() < 0.7 ? '5555' : pick(random, PORTS)],
    ['BIND', CLIENT, '5555'],
    ['QUERY'],
    ['QUERY', pick(random, ['ann', 'ben', '*', token(random)])],
    ['LEAVE'],
    ['PING'],
    ['connect'],
  ]);
  return `${[words[0], length, ...words.slice(1)].join(' ')}\n${payload}`;
}

/** Takes what was said apart; what is no frame of the directory's is a finding. */
function check(said: Buffer, input: Buffer): void {
  for (let at = 0; at < said.length; ) {
    const end = said.indexOf('\n', at);
    const match = /^(?:ACK|ERR|RESULT) (\d+)$/.exec(said.toString('utf8', at, end));
    const next = end + 1 + Number(match?.[1]);
    if (end < 0 || !match || next > said.length) throw new Finding(`not a frame: ${said}`, input.toString('latin1'));
    at = next;
  }
}

/**
 * Sessions with the directory: whatever a client says, it hears whole frames, the session ends, and nobody is called but
 * the client at a port that is no low one.
 */
export const directory: Target = {
  name: 'eurechat-storm',
  share: 1,
  deadlineMs: 2_000,
  async run(random) {
    const crashes: unknown[] = [];
    const caller = new ScriptedCaller([5555]);
    const report = (one: { readonly type: string; readonly error?: unknown }): void => {
      if (one.type === 'crash') crashes.push(one.error);
    };
    const shared = new Directory({
      caller,
      limits: DIRECTORY_LIMITS,
      feed: new ScriptedFeed(),
      naming: 'full',
      report,
    });
    const doorkeeper = {
      nameOf: (name: string) => parseUser(name, 'full'),
      admit: async (user: string) => ({ ok: true, pass: passOf(user) }) as const,
    };
    const sleepers = { take: () => true, give: () => {} };
    const session = new Session({ directory: shared, limits: LIMITS, doorkeeper, report, sleepers }, CLIENT);
    const socket = new FakeSocket();
    let isOver = false;
    socket.once('finish', () => (isOver = true));
    socket.once('close', () => (isOver = true));
    new Connection(socket.asSocket, eurechat, session).start();

    const frames = Array.from({ length: 1 + small(random, 12) }, () => frameOf(random)).join('');
    const whole = Buffer.from(`${random() < 0.9 ? 'USER 0 ann\nPASS 0 x\n' : ''}${frames}`);
    const input = random() < 0.5 ? whole : mutate(random, whole, [noise(random, 200)]);
    for (let at = 0; at < input.length && !isOver; ) {
      const length = random() < 0.5 ? input.length : 1 + small(random, 60);
      socket.send(input.subarray(at, at + length));
      at += length;
    }
    socket.halfClose();
    for (const limit = performance.now() + PATIENCE_MS; !isOver; await turn()) {
      if (performance.now() > limit) throw new Finding('the session does not end', input.toString('latin1'));
    }
    shared.close();
    socket.destroy();
    await turn();
    const shown = input.toString('latin1');
    if (crashes.length > 0) throw new Finding(`crashed: ${(crashes[0] as Error).stack}`, shown);
    for (const call of caller.calls) {
      const [, address, port] = /^reach (.*):(\d+)$/.exec(call) ?? [];
      if (address !== CLIENT || Number(port) < 1024) throw new Finding(`called ${call}`, shown);
    }
    check(Buffer.concat(socket.written), input);
  },
};
