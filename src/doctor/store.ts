import { existsSync } from 'node:fs';
import type { Config } from '../config/settings.ts';
import { layoutOf } from '../store/sqlite/layout.ts';
import { quickCheck } from '../store/sqlite/quick-check.ts';
import { bad, type Finding, good } from './finding.ts';

const AHEAD_MS = 60_000;

/** Whether the store is whole, and none of its mail comes from the future. */
export function checkStore({ data, sink }: Config, now: number = Date.now()): Finding[] {
  if (sink.kind !== 'store' || data === ':memory:') return [];
  if (!existsSync(layoutOf(data).database)) return [good('store', 'holds nothing yet')];
  let found: ReturnType<typeof quickCheck>;
  try {
    found = quickCheck(data);
  } catch (error) {
    return [bad('store', `cannot be read: ${(error as Error).message}`, SALVAGE)];
  }
  if (found.damage !== undefined) return [bad('store', `is damaged: ${found.damage.split('\n')[0]}`, SALVAGE)];
  const whole = good('store', `is whole and holds ${found.messages} messages`);
  const ahead = found.newest === undefined ? 0 : found.newest.getTime() - now;
  if (ahead < AHEAD_MS) return [whole];
  const text = `its newest message came at ${found.newest!.toISOString()}, which is yet to come`;
  return [whole, bad('clock', text, 'the clock was set back: set it right, and run an NTP client')];
}

const SALVAGE = 'stop the daemon and save what is left with: inboxd salvage';
