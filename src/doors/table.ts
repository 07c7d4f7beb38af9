import type { InnerProtocol } from '../config/listen-url.ts';
import type { MakeDoor } from './door.ts';

/** What opens the listeners of each protocol. */
const DOORS: Readonly<Record<InnerProtocol, () => Promise<MakeDoor>>> = {
  smtp: async () => (await import('./mail.ts')).mailDoor,
  lmtp: async () => (await import('./mail.ts')).mailDoor,
  pop3: async () => (await import('./pop3.ts')).pop3Door,
  finger: async () => (await import('./finger.ts')).fingerDoor,
  eurechat: async () => (await import('./eurechat.ts')).eurechatDoor,
  http: async () => (await import('./http.ts')).httpDoor,
};

/** Loads what opens listeners of these protocols; of the others there is nothing in memory, and nobody waits for it. */
export async function loadDoors(protocols: Iterable<InnerProtocol>): Promise<ReadonlyMap<InnerProtocol, MakeDoor>> {
  const loading = [...new Set(protocols)].map(async (protocol) => [protocol, await DOORS[protocol]()] as const);
  return new Map(await Promise.all(loading));
}
