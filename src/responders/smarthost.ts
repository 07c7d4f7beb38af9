import { isIP } from 'node:net';
import { Readable } from 'node:stream';
import SMTPConnection from 'nodemailer/lib/smtp-connection/index.js';
import type { Carried, Carrier, Fate } from './carrier.ts';
import { RESPONDER_LIMITS } from './limits.ts';

/** A server that takes our mail and brings it where it belongs. */
export interface Smarthost {
  readonly host: string;
  readonly port: number;
  /** `implicit`: from the first octet. `required`: by STARTTLS, with a certificate that is checked, as for implicit.
   *  `offered`: by STARTTLS where there is some, with any certificate. */
  readonly tls: 'implicit' | 'required' | 'offered' | 'off';
  /** Who we are there; null if nobody asks. */
  readonly login: { readonly user: string; readonly password: () => Promise<string> } | null;
}

export interface SmarthostOptions {
  readonly smarthost: Smarthost;
  /** What we call ourselves in EHLO. */
  readonly hostname: string;
  readonly connectMs?: number;
  readonly replyMs?: number;
}

/** What nodemailer says of a failure. */
interface SmtpFailure extends Error {
  readonly code?: string;
  readonly responseCode?: number | false;
  readonly command?: string;
}

/** Sends mail through a smarthost, one connection for each, with the null reverse-path. */
export function createSmarthost(options: SmarthostOptions): Carrier {
  const open = new Set<SMTPConnection>();
  return {
    async carry(mail): Promise<Fate> {
      const connection = connectionTo(options);
      open.add(connection);
      try {
        return await transfer(connection, mail, options.smarthost);
      } finally {
        open.delete(connection);
        connection.close();
      }
    },
    close() {
      for (const connection of open) connection.close();
    },
  };
}

function connectionTo({ smarthost, hostname, connectMs, replyMs }: SmarthostOptions): SMTPConnection {
  const { host, port, tls } = smarthost;
  return new SMTPConnection({
    host,
    port,
    name: hostname,
    secure: tls === 'implicit',
    requireTLS: tls === 'required',
    ignoreTLS: tls === 'off',
    connectionTimeout: connectMs ?? RESPONDER_LIMITS.connectMs,
    greetingTimeout: connectMs ?? RESPONDER_LIMITS.connectMs,
    socketTimeout: replyMs ?? RESPONDER_LIMITS.replyMs,
    tls: { rejectUnauthorized: tls !== 'offered', ...(isIP(host) === 0 && { servername: host }) },
  });
}

async function transfer(connection: SMTPConnection, mail: Carried, { login }: Smarthost): Promise<Fate> {
  let isHanded = false;
  // whatever fails outside of a call fails the call that is under way
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {});
  connection.on('error', (error) => broken.reject(error));
  connection.on('end', () => broken.reject(new Error('the smarthost closed the connection')));
  const step = (start: (done: (error: unknown) => void) => void): Promise<void> => {
    const called = new Promise<void>((resolve, reject) => start((error) => (error ? reject(error) : resolve())));
    return Promise.race([called, broken.promise]);
  };
  try {
    await step((done) => connection.connect(done));
    if (login) {
      const credentials = { user: login.user, pass: await login.password() };
      await step((done) => connection.login(credentials, done));
    }
  } catch (error) {
    return { kind: 'later', why: (error as Error).message, forAll: true };
  }
  const handOver = async (): Promise<void> => {
    await mail.handOver();
    isHanded = true;
  };
  try {
    // asked for by nodemailer when the server has said 354, and not before
    const content = Readable.from(lastHandedOver(mail.content(), handOver));
    await step((done) => connection.send({ from: '', to: [mail.recipient] }, content, done));
    connection.quit();
    return { kind: 'sent', where: 'smarthost' };
  } catch (error) {
    return fateOf(error as SmtpFailure, isHanded);
  }
}

/** Passes content on, and says so before its last piece. */
async function* lastHandedOver(content: AsyncIterable<Buffer>, handOver: () => Promise<void>): AsyncIterable<Buffer> {
  let last: Buffer | undefined;
  for await (const view of content) {
    if (last) yield last;
    last = view;
  }
  await handOver();
  if (last) yield last;
}

function fateOf({ message: why, responseCode, code }: SmtpFailure, isHanded: boolean): Fate {
  if (responseCode) {
    if (responseCode >= 500) return { kind: 'refused', why };
    return { kind: 'later', why, forAll: responseCode === 421 };
  }
  if (isHanded) return { kind: 'unknown', why };
  // without a word of the server: an address or a size that it could not have taken
  if (code === 'EENVELOPE' || code === 'EMESSAGE') return { kind: 'refused', why };
  return { kind: 'later', why, forAll: code !== 'ESTREAM' };
}
