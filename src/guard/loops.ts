import type { Filter } from '../mail/filter.ts';
import type { Verdict } from '../mail/sink.ts';
import { withHeaderFields } from './head.ts';

const LOOP: Verdict = { code: 554, enhanced: '5.4.6', text: 'Too many Received fields: this mail goes in circles' };

/**
 * Refuses mail that goes in circles: each server that it passes puts a Received field before it (RFC 5321 §6.3).
 * @param receivedFields the most that a message may have; at least 100, says the RFC
 */
export function refuseLoops(receivedFields: number): Filter {
  return {
    name: 'loops',
    message: (_visit, message) =>
      withHeaderFields(message.content, (fields) => {
        let received = 0;
        for (const { name } of fields) if (name.length === 8 && name.toLowerCase() === 'received') received++;
        return received > receivedFields ? { verdict: LOOP, reason: 'loop' } : undefined;
      }),
  };
}
