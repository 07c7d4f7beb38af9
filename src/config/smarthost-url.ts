/** A server that takes our mail, as its URL says. */
export interface SmarthostUrl {
  readonly host: string;
  readonly port: number;
  readonly tls: 'implicit' | 'required' | 'offered' | 'off';
  /** '' if nobody logs in. */
  readonly user: string;
  /** '' if it stands in a file, or there is none. */
  readonly password: string;
}

const PORTS = { 'smtp:': 587, 'smtps:': 465 } as const;

/**
 * Reads `smtp://user:password@host:587` or `smtps://host`; `?tls=required|offered|off` may follow smtp. Who logs in at
 * another machine has TLS required, unless the URL says otherwise; else it is offered.
 * @returns undefined for anything else
 */
export function parseSmarthost(text: string): SmarthostUrl | undefined {
  if (!/^smtps?:\/\/[^/\s#]+\/?(?:\?[^#\s]*)?$/i.test(text) || !URL.canParse(text)) return undefined;
  const { protocol, hostname, port, username, password, searchParams } = new URL(text);
  if (hostname === '' || (username === '' && password !== '')) return undefined;
  const asked = searchParams.get('tls');
  if ([...searchParams.keys()].some((key) => key !== 'tls')) return undefined;
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const isHere = host === 'localhost' || host === '::1' || host.startsWith('127.');
  const usual = username !== '' && !isHere ? 'required' : 'offered';
  const isSecure = protocol === 'smtps:';
  if (asked !== null && (isSecure || !['required', 'offered', 'off'].includes(asked))) return undefined;
  const tls = isSecure ? 'implicit' : ((asked ?? usual) as SmarthostUrl['tls']);
  const known = PORTS[protocol as keyof typeof PORTS];
  try {
    const [user, secret] = [decodeURIComponent(username), decodeURIComponent(password)];
    return { host, port: port === '' ? known : Number(port), tls, user, password: secret };
  } catch {
    return undefined; // a % that is none of an encoding
  }
}

/** The URL without its password, for people. */
export function withoutPassword(text: string): string {
  return text.replace(/^(smtps?:\/\/[^:@/]*):[^@/]*@/i, '$1:***@');
}
