import { findPeer } from '../../support/program.ts';
import { run } from '../../support/run.ts';
import type { Load } from '../contest.ts';

const USUAL_BYTES = 4096;
const LONG_BYTES = 65_536;

interface Shape {
  readonly sessions: number;
  /** Octets of each message; 4 KiB if absent. */
  readonly bytes?: number;
  /** Sends many messages over each connection (`-d`) instead of one. */
  readonly reuse: boolean;
  readonly messages: number;
  readonly warmUp: number;
}

function source({ sessions, bytes = USUAL_BYTES, reuse, messages, warmUp }: Shape): Load {
  const isLong = bytes !== USUAL_BYTES;
  const size = isLong ? `, ${bytes / 1024} KiB each` : '';
  return {
    name: `${reuse ? 'd-' : ''}s${sessions}${isLong ? `-${bytes / 1024}k` : ''}`,
    title: `${sessions} sessions, ${reuse ? 'many messages per connection (-d)' : 'one message per connection'}${size}`,
    reconnects: !reuse,
    messages,
    warmUp,
    async run(port, count) {
      const program = findPeer('smtp-source');
      if (!program) throw new Error('smtp-source is missing: apt-get install postfix');
      const args = [...(reuse ? ['-d'] : []), '-s', String(sessions), '-l', String(bytes), '-m', String(count)];
      const { code, stderr } = await run(program, [...args, `127.0.0.1:${port}`]);
      // it ends with a fatal error at the first reply that is not the one it wants
      if (code !== 0 || stderr !== '') throw new Error(`smtp-source ${args.join(' ')}: exit code ${code}: ${stderr}`);
    },
  };
}

/** Debian's smtp-source (package postfix). */
export const SMTP_SOURCE_LOADS: readonly Load[] = [
  source({ sessions: 20, reuse: true, messages: 20_000, warmUp: 8_000 }),
  source({ sessions: 100, reuse: true, messages: 20_000, warmUp: 8_000 }),
  source({ sessions: 20, reuse: false, messages: 8_000, warmUp: 4_000 }),
  source({ sessions: 100, reuse: false, messages: 8_000, warmUp: 4_000 }),
  source({ sessions: 20, bytes: LONG_BYTES, reuse: true, messages: 4_000, warmUp: 1_000 }),
  source({ sessions: 100, bytes: LONG_BYTES, reuse: true, messages: 4_000, warmUp: 1_000 }),
];
