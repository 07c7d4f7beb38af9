import type { InnerProtocol } from '../config/listen-url.ts';
import type { MakeDoor } from './door.ts';
import { eurechatDoor } from './eurechat.ts';
import { fingerDoor } from './finger.ts';
import { httpDoor } from './http.ts';
import { mailDoor } from './mail.ts';
import { pop3Door } from './pop3.ts';

/** What opens the listeners of each protocol. */
export const DOORS: Readonly<Record<InnerProtocol, MakeDoor>> = {
  smtp: mailDoor,
  lmtp: mailDoor,
  pop3: pop3Door,
  finger: fingerDoor,
  eurechat: eurechatDoor,
  http: httpDoor,
};
