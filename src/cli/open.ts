import { formatRoute } from '../web/state/route.ts';
import { EXIT } from './exit-codes.ts';
import { print } from './output.ts';
import type { Remote } from './remote.ts';

/** `inboxd open <inbox>`: prints where a browser finds the inbox, once it is known that something answers there. */
export async function open(remote: Remote, inbox: string): Promise<number> {
  const page = remote.url;
  await remote.get('/livez').then((incoming) => incoming.resume());
  print(`${page}/${formatRoute({ inbox, q: '', message: undefined })}`);
  return EXIT.OK;
}
