import { answerJobs } from './killable-thread.ts';
import { type OpenedMail, openMail } from './opened-mail.ts';

/** Has a bit of everything, so that what opening mails loads and compiles is there before somebody waits for one. */
const SAMPLE = Buffer.from(
  [
    'From: =?utf-8?q?A_sample?= <sample@inboxd.invalid>',
    'Content-Type: multipart/alternative; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'Your code is 314159.',
    '--b',
    'Content-Type: text/html; charset=utf-8',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    '<p>Your code is <b>314159</b>. <a href=3D"https://inboxd.invalid/">Verify</a></p>',
    '--b--',
    '',
  ].join('\r\n'),
);
await openMail(SAMPLE);

/** Entry of the thread that opens mails: bytes come in, an OpenedMail goes out. */
answerJobs<Uint8Array, OpenedMail>((raw) => openMail(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)));
