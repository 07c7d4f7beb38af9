import { connect } from 'node:net';

/** Where SpamAssassin's daemon listens. */
export type SpamdAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export interface SpamRule {
  readonly Score: number;
  readonly Name: string;
  readonly Description: string;
}

/** What SpamAssassin makes of a message, in Mailpit's names. */
export interface SpamCheck {
  readonly IsSpam: boolean;
  /** Why there is no result, or ''. */
  readonly Error: string;
  readonly Score: number;
  readonly Rules: readonly SpamRule[] | null;
}

export const SPAMD_LIMITS = Object.freeze({ waitMs: 8_000, replyBytes: 1024 * 1024, spamScore: 5 });

/** Asks SpamAssassin about a message, by its own protocol (spamc 1.5, REPORT). Never rejects: `Error` tells why not. */
export async function askSpamd(
  at: SpamdAddress,
  message: { readonly bytes: number; stream(): AsyncIterable<Buffer> },
): Promise<SpamCheck> {
  try {
    return readReport(await converse(at, message));
  } catch (error) {
    return { IsSpam: false, Error: (error as Error).message, Score: 0, Rules: null };
  }
}

async function converse(
  at: SpamdAddress,
  { bytes, stream }: { readonly bytes: number; stream(): AsyncIterable<Buffer> },
): Promise<string> {
  const socket = connect(at);
  const reply: Buffer[] = [];
  let length = 0;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => socket.destroy(new Error('SpamAssassin did not answer in time')), SPAMD_LIMITS.waitMs);
  socket.on('data', (view) => {
    reply.push(view);
    length += view.length;
    if (length > SPAMD_LIMITS.replyBytes) socket.destroy(new Error('SpamAssassin answered too much'));
  });
  socket.on('error', reject);
  socket.on('close', () => resolve(Buffer.concat(reply).toString('latin1')));
  try {
    await send(socket, bytes, stream());
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

async function send(socket: ReturnType<typeof connect>, bytes: number, content: AsyncIterable<Buffer>): Promise<void> {
  socket.write(`REPORT SPAMC/1.5\r\nContent-length: ${bytes}\r\n\r\n`);
  for await (const view of content) {
    if (socket.destroyed) return; // its error has been told
    if (!socket.write(view)) await new Promise((resolve) => socket.once('drain', resolve).once('close', resolve));
  }
  socket.end();
}

/** Reads a reply: `Spam: True ; 6.1 / 5.0` and a table of points, rule and description. */
function readReport(reply: string): SpamCheck {
  const status = /^SPAMD\/[\d.]+ (\d+) ([^\r\n]*)/.exec(reply);
  if (status === null) throw new Error('SpamAssassin gave no answer');
  if (status[1] !== '0') throw new Error(`SpamAssassin says ${status[2]?.trim()}`);
  const total = /^Spam:[^;\r\n]*;\s*(-?\d+(?:\.\d+)?)/im.exec(reply);
  if (total === null) throw new Error('SpamAssassin gave no score');
  const score = Math.round(Number(total[1]) * 10) / 10;
  return { IsSpam: score >= SPAMD_LIMITS.spamScore, Error: '', Score: score, Rules: readRules(reply) };
}

function readRules(reply: string): SpamRule[] {
  const lines = reply.split(/\r?\n/);
  const rules: { Score: number; Name: string; Description: string }[] = [];
  for (const line of lines.slice(lines.findIndex((each) => /^-{3,} -{3,}/.test(each)) + 1)) {
    const rule = /^\s*(-?\d+(?:\.\d+)?)\s+(\w+)\s*(.*)$/.exec(line);
    const last = rules.at(-1);
    if (rule) rules.push({ Score: Number(rule[1]), Name: rule[2] ?? '', Description: rule[3]?.trim() ?? '' });
    else if (/^\s+\S/.test(line) && last) last.Description = `${last.Description} ${line.trim()}`.trim();
    else if (last) break;
  }
  return rules;
}
