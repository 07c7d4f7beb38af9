import type { Protocol } from '../wire/connection.ts';
import type { Row } from '../wire/machine.ts';
import { compile, END } from '../wire/machine.ts';
import * as auth from './handlers/auth.ts';
import { bdat, bdatWithoutMail, bdatWithoutRecipients, processChunk } from './handlers/bdat.ts';
import {
  data,
  dataWithoutRecipients,
  looseData,
  noSuchUser,
  processMessage,
  processOnlyMessage,
} from './handlers/data.ts';
import { crashInContent } from './handlers/dispose.ts';
import { ehlo, helo, looseHelo } from './handlers/hello.ts';
import { looseMail, mail } from './handlers/mail.ts';
import * as other from './handlers/other.ts';
import { looseRcpt, rcpt } from './handlers/rcpt.ts';
import { secured, starttls, starttlsTooLate } from './handlers/starttls.ts';
import { xclient, xclientInTransaction } from './handlers/xclient.ts';
import type { SmtpReply } from './replies.ts';
import { requireTls } from './require-tls.ts';
import type { Session } from './session.ts';
import { REFUSED_VERBS } from './verbs.ts';

/**
 * SMTP as a table (RFC 5321, BDAT of RFC 3030). States are named for what has been said; `chunk` is a BDAT whose
 * octets are on their way, `bdat` waits for the next one; who was greeted with a refusal is in `refused`. `handshake` is
 * the way into TLS (RFC 3207), from which a session comes back as if it had just begun.
 */
export type SmtpState =
  | 'idle'
  | 'refused'
  | 'ehlo'
  | 'mail'
  | 'rcpt'
  | 'dataStart'
  | 'chunk'
  | 'bdat'
  | 'dataDone'
  /** AUTH of these mechanisms was said, and the client's message is awaited; LOGIN asks for two. */
  | 'authPlain'
  | 'authLogin'
  | 'authPassword'
  | 'authXoauth2'
  | 'authOauthBearer'
  /** The client was told in a challenge that its token is refused, and has to answer that. */
  | 'authRefused'
  | 'handshake';

type SmtpRow = Row<SmtpState, Session, string, SmtpReply>;

/** Every state that reads command lines. */
const LINE: readonly SmtpState[] = ['idle', 'ehlo', 'mail', 'rcpt', 'bdat', 'dataDone'];
/** Nothing is open. */
const FREE: readonly SmtpState[] = ['idle', 'ehlo', 'dataDone'];
const GREETED: readonly SmtpState[] = ['ehlo', 'dataDone'];
const OPEN: readonly SmtpState[] = ['mail', 'rcpt', 'bdat'];
/** What comes is an answer of the client's within AUTH. */
const ASKED: readonly SmtpState[] = [
  'authPlain',
  'authLogin',
  'authPassword',
  'authXoauth2',
  'authOauthBearer',
  'authRefused',
];
const EVERY: readonly SmtpState[] = [...LINE, ...ASKED, 'refused', 'dataStart', 'chunk'];

export const SMTP_STATES: Protocol<SmtpState, Session>['states'] = {
  idle: { read: 'line', deadline: 'commandMs' },
  refused: { read: 'line', deadline: 'commandMs' },
  ehlo: { read: 'line', deadline: 'commandMs' },
  mail: { read: 'line', deadline: 'commandMs', open: true },
  rcpt: { read: 'line', deadline: 'commandMs', open: true },
  dataStart: { read: 'content', deadline: 'dataMs', open: true },
  chunk: { read: 'chunk', deadline: 'dataMs', open: true },
  bdat: { read: 'line', deadline: 'commandMs', open: true },
  dataDone: { read: 'line', deadline: 'commandMs' },
  authPlain: { read: 'answer', deadline: 'commandMs' },
  authLogin: { read: 'answer', deadline: 'commandMs' },
  authPassword: { read: 'answer', deadline: 'commandMs' },
  authXoauth2: { read: 'answer', deadline: 'commandMs' },
  authOauthBearer: { read: 'answer', deadline: 'commandMs' },
  authRefused: { read: 'answer', deadline: 'commandMs' },
  handshake: { read: 'handshake', deadline: 'handshakeMs' },
};

/** AUTH has an event of its own for each mechanism. */
export const TWO_WORDS: ReadonlySet<string> = new Set(['AUTH']);

/** The rows after the greeting, which SMTP and LMTP share. */
// biome-ignore format: one row a line
export const TRANSACTION_ROWS: readonly SmtpRow[] = [
  { in: ['idle'],        on: 'connect',      run: other.greet,             fail: 'refused' },
  { in: GREETED,         on: 'MAIL',         run: mail,                    ok: 'mail' },
  { in: ['idle'],        on: 'MAIL',         run: other.helloFirst },
  { in: OPEN,            on: 'MAIL',         run: other.oneSenderOnly },
  { in: ['mail', 'rcpt'], on: 'RCPT',        run: rcpt,                    ok: 'rcpt' },
  { in: FREE,            on: 'RCPT',         run: other.mailFirst },
  { in: ['rcpt'],        on: 'DATA',         run: data,                    more: 'dataStart' },
  { in: ['mail'],        on: 'DATA',         run: dataWithoutRecipients },
  { in: FREE,            on: 'DATA',         run: other.mailFirst },
  { in: ['dataStart'],   on: 'end',          run: processMessage,          ok: 'dataDone', fail: 'dataDone' },
  { in: ['rcpt', 'bdat'], on: 'BDAT',        run: bdat,                    more: 'chunk', fail: 'dataDone' },
  { in: ['bdat'],        on: 'RCPT',         run: other.bdatGoesOn },
  { in: ['bdat'],        on: 'DATA',         run: other.bdatGoesOn },
  { in: ['mail'],        on: 'BDAT',         run: bdatWithoutRecipients },
  { in: FREE,            on: 'BDAT',         run: bdatWithoutMail },
  { in: ['chunk'],       on: 'end',          run: processChunk,            ok: 'dataDone', more: 'bdat', fail: 'dataDone' },
  { in: GREETED,         on: 'AUTH PLAIN',   run: auth.begin,              more: 'authPlain' },
  { in: GREETED,         on: 'AUTH LOGIN',   run: auth.beginLogin,         more: 'authLogin' },
  { in: GREETED,         on: 'AUTH XOAUTH2', run: auth.begin,              more: 'authXoauth2' },
  { in: GREETED,         on: 'AUTH OAUTHBEARER', run: auth.begin,          more: 'authOauthBearer' },
  { in: GREETED,         on: 'AUTH',         run: auth.auth },
  { in: ['idle'],        on: 'AUTH',         run: auth.authBeforeHello },
  { in: OPEN,            on: 'AUTH',         run: auth.authInTransaction },
  { in: ['authPlain'],   on: 'answer',       run: auth.plain,              ok: 'ehlo', fail: 'ehlo' },
  { in: ['authLogin'],   on: 'answer',       run: auth.userName,           more: 'authPassword', fail: 'ehlo' },
  { in: ['authPassword'], on: 'answer',      run: auth.password,           ok: 'ehlo', fail: 'ehlo' },
  { in: ['authXoauth2'], on: 'answer',       run: auth.xoauth2,            ok: 'ehlo', more: 'authRefused', fail: 'ehlo' },
  { in: ['authOauthBearer'], on: 'answer',   run: auth.oauthBearer,        ok: 'ehlo', more: 'authRefused', fail: 'ehlo' },
  { in: ['authRefused'], on: 'answer',       run: auth.tokenRefused,       fail: 'ehlo' },
  { in: ASKED,           on: 'badLine',      run: other.badAnswer,         fail: 'ehlo' },
  { in: FREE,            on: 'XCLIENT',      run: xclient,                 ok: 'idle' },
  { in: OPEN,            on: 'XCLIENT',      run: xclientInTransaction },
  { in: ['idle'],        on: 'RSET',         run: other.rset },
  { in: [...GREETED, ...OPEN], on: 'RSET',   run: other.rset,              ok: 'ehlo' },
  { in: LINE,            on: 'NOOP',         run: other.noop },
  { in: LINE,            on: 'VRFY',         run: other.vrfy },
  { in: LINE,            on: 'HELP',         run: other.help },
  { in: [...LINE, 'refused'], on: 'QUIT',    run: other.quit,              ok: END },
  { in: FREE,            on: 'STARTTLS',     run: starttls,                ok: 'handshake' },
  { in: OPEN,            on: 'STARTTLS',     run: starttlsTooLate },
  { in: ['handshake'],   on: 'secured',      run: secured,                 more: 'idle' },
  ...REFUSED_VERBS.map((verb): SmtpRow => ({ in: LINE, on: verb, run: other.notImplemented })),
  { in: LINE,            on: 'misplaced',    run: other.misplaced },
  { in: LINE,            on: 'unknown',      run: other.unknown },
  { in: LINE,            on: 'badLine',      run: other.badLine },
  { in: ['refused'],     on: 'misplaced',    run: other.notServed },
  { in: ['refused'],     on: 'unknown',      run: other.notServed },
  { in: ['refused'],     on: 'badLine',      run: other.badLine },
  { in: ['dataStart', 'chunk'], on: 'endless', run: other.endless,         ok: END },
  { in: [...LINE, ...ASKED, 'refused'], on: 'tooManyFails', run: other.tooManyFails, ok: END },
  { in: EVERY,           on: 'timeout',      run: other.timeout,           ok: END },
  { in: EVERY,           on: 'shutdown',     run: other.shutdown,          ok: END },
  { in: ['idle', 'refused'], on: 'crash',    run: other.crash },
  { in: [...GREETED, ...OPEN, ...ASKED], on: 'crash', run: other.crash,    fail: 'ehlo' },
  { in: ['dataStart', 'chunk'], on: 'crash', run: crashInContent,          fail: 'ehlo' },
];

const SMTP: Protocol<SmtpState, Session> = {
  name: 'smtp',
  start: 'idle',
  states: SMTP_STATES,
  twoWords: TWO_WORDS,
  rows: [
    { in: LINE, on: 'EHLO', run: ehlo, ok: 'ehlo' },
    { in: LINE, on: 'HELO', run: helo, ok: 'ehlo' },
    ...TRANSACTION_ROWS,
  ],
};

/**
 * The profile of this kind of daemon's origin: five verbs, one message a connection, and for all else
 * `550 No such user` and the door. The same handlers under another table.
 */
// biome-ignore format: one row a line
const MAILINATOR: Protocol<'idle' | 'ehlo' | 'mail' | 'rcpt' | 'dataStart', Session> = {
  name: 'mailinator',
  start: 'idle',
  states: {
    idle: SMTP_STATES.idle, ehlo: SMTP_STATES.ehlo, mail: SMTP_STATES.mail, rcpt: SMTP_STATES.rcpt,
    dataStart: SMTP_STATES.dataStart,
  },
  rows: [
    { in: ['idle'],                            on: 'connect',      run: other.greet,             fail: END },
    { in: ['idle', 'ehlo', 'mail', 'rcpt'],    on: 'HELO',         run: looseHelo,               ok: 'ehlo' },
    { in: ['idle', 'ehlo', 'mail', 'rcpt'],    on: 'EHLO',         run: looseHelo,               ok: 'ehlo' },
    { in: ['ehlo'],                            on: 'MAIL',         run: looseMail,          ok: 'mail' },
    { in: ['mail', 'rcpt'],                    on: 'RCPT',         run: looseRcpt,          ok: 'rcpt' },
    { in: ['rcpt'],                            on: 'DATA',         run: looseData,               more: 'dataStart' },
    { in: ['dataStart'],                       on: 'end',          run: processOnlyMessage, ok: END },
    { in: ['idle', 'ehlo', 'mail', 'rcpt'],    on: 'misplaced',    run: noSuchUser },
    { in: ['idle', 'ehlo', 'mail', 'rcpt'],    on: 'unknown',      run: noSuchUser },
    { in: ['idle', 'ehlo', 'mail', 'rcpt'],    on: 'badLine',      run: noSuchUser },
    { in: ['dataStart'],                       on: 'endless',      run: other.endless },
    { in: ['idle', 'ehlo', 'mail', 'rcpt', 'dataStart'], on: 'timeout',  run: other.timeout },
    { in: ['idle', 'ehlo', 'mail', 'rcpt', 'dataStart'], on: 'shutdown', run: other.shutdown },
    { in: ['idle', 'ehlo', 'mail', 'rcpt', 'dataStart'], on: 'crash',    run: other.crash, fail: END },
  ],
};

export const smtp = compile(SMTP);
export const smtpTlsRequired = compile(requireTls(SMTP));
export const mailinator = compile(MAILINATOR);
