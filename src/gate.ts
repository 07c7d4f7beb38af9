import type { Load } from './guard/load.ts';
import type { Traffic } from './guard/traffic.ts';
import type { Reporter } from './mail/report.ts';
import type { Verdict } from './mail/sink.ts';
import { reply } from './smtp/replies.ts';
import type { Gate, Places } from './wire/listener.ts';

const FULL: Verdict = { code: 421, enhanced: '4.3.2', text: 'Too many connections, try again later' };

const inSmtp = ({ code, enhanced, text }: Verdict): Buffer => reply(code, enhanced, text).bytes;

export interface GateParts {
  readonly protocol: string;
  /** Who is turned away hears nothing: it would wait for a handshake. */
  readonly isSilent: boolean;
  /** Says it in the words of the protocol; SMTP's if absent. */
  readonly say?: (verdict: Verdict) => Buffer;
  readonly places: Places;
  /** Of these places, how many may be held before it is known for whom. */
  readonly waiting: Places;
  /** Share of the places from which on they are for those who have few; 1 is never. */
  readonly tightFrom: number;
  readonly load: Load;
  /** Absent where addresses are not counted. */
  readonly traffic?: Traffic;
  readonly report: Reporter;
}

/**
 * Decides at the door, before a connection has cost anything: is there a place, can we take on more, may this address
 * have more. Who is turned away is told why in one line.
 */
export function createGate({
  protocol,
  isSilent,
  say = inSmtp,
  places,
  waiting,
  tightFrom,
  load,
  traffic,
  report,
}: GateParts): Gate {
  const tell = (address: string, verdict: Verdict, reason: string): Buffer => {
    const { code, text } = verdict;
    report({
      type: 'refusal',
      protocol: protocol.toUpperCase(),
      session: '',
      address,
      phase: 'connect',
      reason,
      code,
      text,
    });
    return isSilent ? Buffer.alloc(0) : say(verdict);
  };
  return {
    enter(address) {
      const busy = load.refusal();
      if (busy) return tell(address, busy.verdict, busy.reason);
      if (!places.take()) return tell(address, FULL, 'places');
      const refusal = traffic?.enter(address, places.share > tightFrom);
      if (!refusal) return undefined;
      places.give();
      return tell(address, refusal.verdict, refusal.reason);
    },
    leave(address) {
      places.give();
      traffic?.leave(address);
    },
    hold(balancer) {
      const busy = load.refusal();
      if (busy) return tell(balancer, busy.verdict, busy.reason);
      if (!waiting.take()) return tell(balancer, FULL, 'places');
      if (places.take()) return undefined;
      waiting.give();
      return tell(balancer, FULL, 'places');
    },
    release() {
      places.give();
      waiting.give();
    },
  };
}
