import { Turns } from '../../system/turns.ts';
import { SOURCE_LIMITS } from '../limits.ts';
import type { UserSource } from '../source.ts';
import { linesOf } from './command.ts';

/**
 * A server that is asked for `<prefix><user>`, and `?verbose=1` behind that where all is wanted. It answers 200 with
 * text, or 404 for a user that it does not know; it cannot list. Redirects are not followed, wherever they lead: they
 * could have this machine ask servers that only it can reach.
 */
export function createHttpSource(prefix: string): UserSource {
  const turns = new Turns(SOURCE_LIMITS.atOnce, SOURCE_LIMITS.waiting);
  const ask = async (url: string, signal: AbortSignal): Promise<readonly string[] | undefined> => {
    const response = await fetch(url, { redirect: 'manual', signal, headers: { accept: 'text/plain' } });
    if (response.status === 200) return linesOf(await textOf(response, url));
    await response.body?.cancel();
    if (response.status === 404) return undefined;
    throw new Error(`${url} answered ${response.status}`);
  };
  return {
    async find(user, { verbose, signal }) {
      if (/^\.{1,2}$/.test(user) || !user.isWellFormed()) return undefined; // steps of a path, which no encoding hides
      if (turns.isFull) throw new Error(`too many queries wait for ${prefix}`);
      const url = `${prefix}${encodeURIComponent(user)}${verbose ? '?verbose=1' : ''}`;
      return turns.take(() => ask(url, signal), signal);
    },
    list: async () => undefined,
  };
}

async function textOf(response: Response, url: string): Promise<string> {
  const views: Uint8Array[] = [];
  let bytes = 0;
  for await (const view of response.body ?? []) {
    bytes += view.length;
    if (bytes > SOURCE_LIMITS.outputBytes)
      throw new Error(`${url} answered more than ${SOURCE_LIMITS.outputBytes} bytes`);
    views.push(view);
  }
  return Buffer.concat(views).toString('utf8');
}
