import type { Target } from './target.ts';
import { directory } from './targets/directory.ts';
import { frames } from './targets/frames.ts';
import { http } from './targets/http.ts';
import { headers, html, mime } from './targets/mails.ts';
import { milterPackets, milterSessions } from './targets/milters.ts';
import { commands, places, queries, settings } from './targets/parsers.ts';
import { proxy } from './targets/proxy.ts';
import { sessions } from './targets/sessions.ts';
import { tls } from './targets/tls.ts';

/** Everything that hostile octets reach. */
export const TARGETS: readonly Target[] = [
  ...sessions,
  directory,
  commands,
  headers,
  mime,
  html,
  queries,
  settings,
  places,
  proxy,
  milterPackets,
  milterSessions,
  tls,
  frames,
  http,
];
