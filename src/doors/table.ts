import type { InnerProtocol } from '../config/listen-url.ts';
import type { MakeDoor } from './door.ts';

/** Loads what opens the listeners of each protocol: of those that nobody listens to there is nothing in memory. */
export const DOORS: Readonly<Record<InnerProtocol, () => Promise<MakeDoor>>> = {
  smtp: async () => (await import('./mail.ts')).mailDoor,
  lmtp: async () => (await import('./mail.ts')).mailDoor,
  pop3: async () => (await import('./pop3.ts')).pop3Door,
  finger: async () => (await import('./finger.ts')).fingerDoor,
  eurechat: async () => (await import('./eurechat.ts')).eurechatDoor,
  http: async () => (await import('./http.ts')).httpDoor,
};
