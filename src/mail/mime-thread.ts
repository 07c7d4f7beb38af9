import { answerJobs } from './killable-thread.ts';
import { type OpenedMail, openMail } from './opened-mail.ts';

/** Entry of the thread that opens mails: bytes come in, an OpenedMail goes out. */
answerJobs<Uint8Array, OpenedMail>((raw) => openMail(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)));
