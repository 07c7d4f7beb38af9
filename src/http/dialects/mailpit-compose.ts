import type { Mailbox, Outgoing } from './mailpit-send-request.ts';

/** Writes mails, and sends none; loaded when the first is written. */
async function loadComposer() {
  const { createTransport } = await import('nodemailer');
  return createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
}

/**
 * Writes a mail as it lies in an inbox: with Bcc and Return-Path, without Received, lines ended by CR LF.
 * Names, file names and subjects are encoded as their characters want; nothing in them starts a line of its own.
 */
export async function composeMail(outgoing: Outgoing): Promise<Buffer> {
  const hasReturnPath = outgoing.headers.some(([name]) => name.toLowerCase() === 'return-path');
  const composer = await loadComposer();
  const { message } = await composer.sendMail({
    from: toAddress(outgoing.from),
    to: outgoing.to.map(toAddress),
    cc: outgoing.cc.map(toAddress),
    bcc: outgoing.bcc.map(toAddress),
    replyTo: outgoing.replyTo.map(toAddress),
    subject: outgoing.subject,
    text: outgoing.text,
    ...(outgoing.html !== '' && { html: outgoing.html }),
    headers: [
      ...(hasReturnPath ? [] : [{ key: 'Return-Path', value: `<${outgoing.from.path.text}>` }]),
      ...outgoing.headers.map(([key, value]) => ({ key, value })),
    ],
    attachments: outgoing.attachments.map(({ fileName, contentType, contentId, content }) => ({
      filename: fileName,
      contentType,
      content,
      ...(contentId !== '' && { cid: contentId, contentDisposition: 'inline' as const }),
    })),
    // nothing of a request is a path or an address to read from
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return message as Buffer;
}

function toAddress({ name, path }: Mailbox): { name: string; address: string } {
  return { name, address: path.text };
}
