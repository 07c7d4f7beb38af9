import { lookup } from 'node:dns/promises';
import type { Hasher } from './auth/hasher.ts';
import { createToken } from './auth/token.ts';
import { formatListenUrl, type InnerProtocol, innerProtocol, type ListenAddress } from './config/listen-url.ts';
import type { Config } from './config.ts';
import { StartError } from './errors.ts';
import { type Access, OPEN_ACCESS } from './http/auth/access.ts';
import { createFileAccess } from './http/auth/file-access.ts';
import type { Reporter } from './mail/report.ts';

/** Protocols whose clients may have to show a token. */
const TAKES_TOKENS: ReadonlySet<InnerProtocol> = new Set(['http', 'pop3', 'eurechat']);

/** Who may use HTTP, open maildrops and be told of mail, and a token for commands of the user that the daemon runs as; '' where none is needed. */
export interface HttpAccess {
  readonly access: Access;
  readonly localToken: string;
}

/**
 * Makes the access that a configuration asks for.
 * @throws StartError HTTP_OPEN or POP3_OPEN where other machines could read all mail without anybody having said so; AUTH_UNUSABLE
 */
export async function openHttpAccess(config: Config, report: Reporter, hasher: Hasher): Promise<HttpAccess> {
  const addresses = config.listen.filter(({ protocol }) => innerProtocol(protocol) === 'http');
  const maildrops = config.listen.filter(({ protocol }) => innerProtocol(protocol) === 'pop3');
  const showsTokens = config.listen.some(({ protocol }) => TAKES_TOKENS.has(innerProtocol(protocol)));
  if (config.httpAuth !== '' && showsTokens) {
    const localToken = createToken().text;
    return { access: await createFileAccess({ file: config.httpAuth, report, localToken, hasher }), localToken };
  }
  if (!config.httpOpen) for (const address of addresses) await requireLoopback(address, 'HTTP_OPEN');
  for (const address of maildrops) await requireLoopback(address, 'POP3_OPEN');
  return { access: OPEN_ACCESS, localToken: '' };
}

const ALLOWED = {
  HTTP_OPEN: ', or --http-open if everybody may',
  POP3_OPEN: '; without one POP3 is for this machine alone',
};

async function requireLoopback(address: ListenAddress, code: keyof typeof ALLOWED): Promise<void> {
  // who may use a socket, the rights of its folder say; of a name that does not resolve listening tells
  if (address.path !== undefined) return;
  const found = await lookup(address.host, { all: true }).catch(() => []);
  if (found.every((one) => isLoopback(one.address))) return;
  throw new StartError(
    code,
    `${formatListenUrl(address)} would let other machines read all mail: give --http-auth with a file of tokens ` +
      `("inboxd token create" makes one)${ALLOWED[code]}`,
  );
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./i.test(address);
}
