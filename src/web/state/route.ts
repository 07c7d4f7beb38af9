/** What the page shows: a list, narrowed to an inbox or by a search, and maybe a message of it. */
export interface Route {
  readonly inbox: string | undefined;
  readonly q: string;
  readonly message: string | undefined;
}

/** Reads the part of the address behind `#`; anything odd is the list of all mail. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const parameters = new URLSearchParams(query);
  const [kind, name] = path.split('/', 2);
  return {
    inbox: kind === 'inbox' && name ? decode(name) : undefined,
    q: parameters.get('q') ?? '',
    message: parameters.get('m') ?? undefined,
  };
}

export function formatRoute({ inbox, q, message }: Route): string {
  const parameters = new URLSearchParams();
  if (q !== '') parameters.set('q', q);
  if (message !== undefined) parameters.set('m', message);
  const query = parameters.size > 0 ? `?${parameters}` : '';
  return `#/${inbox === undefined ? '' : `inbox/${encodeURIComponent(inbox)}`}${query}`;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // a lone %: no address that we made
  }
}
