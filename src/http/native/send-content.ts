import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Reporter } from '../../mail/report.ts';
import { sendProblem } from '../problem.ts';
import { SANDBOX_POLICY } from '../security.ts';
import { isKnown } from './etag.ts';
import { type ByteRange, parseRange, sliceStream } from './range.ts';

/** Octets of a mail, whole or of one part. */
export interface ServedContent {
  readonly bytes: number;
  readonly type: string;
  readonly disposition?: string;
  /** Stands for these octets and no others. */
  readonly etag: string;
  /** Gives all of them. */
  stream(): AsyncIterable<Buffer>;
}

/**
 * Sends what a mail brought along, or the range of it that was asked for (RFC 9110 §14). Whatever it is, it becomes no
 * page of ours: it keeps its type, and where a browser shows it, it is cut off from our origin.
 */
export function sendContent(
  request: FastifyRequest,
  reply: FastifyReply,
  content: ServedContent,
  report: Reporter,
): FastifyReply {
  reply.headers({ 'accept-ranges': 'bytes', 'content-security-policy': SANDBOX_POLICY });
  if (isKnown(request, reply, content.etag)) return reply;
  const range = askedRange(request, content);
  if (range === 'none') {
    reply.header('content-range', `bytes */${content.bytes}`);
    return sendProblem(reply, 'range', `There are ${content.bytes} bytes`);
  }
  reply.header('content-type', content.type);
  if (content.disposition !== undefined) reply.header('content-disposition', content.disposition);
  if (range !== undefined) {
    reply.code(206).header('content-range', `bytes ${range.first}-${range.last}/${content.bytes}`);
  }
  reply.header('content-length', range === undefined ? content.bytes : range.last - range.first + 1);
  if (request.method === 'HEAD') return reply.send();
  const whole = content.stream();
  const stream = Readable.from(range === undefined ? whole : sliceStream(whole, range), { objectMode: false });
  stream.on('error', (error) => {
    // before the first byte the error handler answers and reports; later the reply can only break off
    if (reply.raw.headersSent) report({ type: 'crash', where: 'http', error });
  });
  return reply.send(stream);
}

/** A range of what the client has another state of is no use to it: it then gets the whole (If-Range). */
function askedRange({ headers }: FastifyRequest, { etag, bytes }: ServedContent): ByteRange | 'none' | undefined {
  const condition = headers['if-range'];
  return condition !== undefined && condition !== etag ? undefined : parseRange(headers.range, bytes);
}
