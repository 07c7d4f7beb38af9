import type { FastifyInstance } from 'fastify';
import { framePolicy } from './frame-policy.ts';
import { HTTP_LIMITS } from './limits.ts';
import { sendForbidden } from './replies.ts';

/**
 * The frame that a mail's HTML is shown in.
 *
 * The page cleans the HTML and posts it here, and gets it back as a document under a policy of its own. A frame made of
 * `srcdoc` or a blob would inherit the page's policy: then either the page would have to allow the styles and pictures
 * of mails, or no mail could be shown. Here the page stays strict, and the bans on a mail are fields of the reply, which
 * no markup can touch: no scripts, no forms, an origin of its own that owns nothing, no load from anywhere.
 */
const HELD = framePolicy('data:');
/** For a reader who has asked to load the pictures. */
const REMOTE = framePolicy('data: https: http:');

/** For the blank document in which the page takes mails apart: see src/web/mail/purifier.ts. */
const BLANK = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ');

/** A form of type text/plain sends `name=value` and a line end. */
const NAME = Buffer.from('html=');
const LINE_END = Buffer.from('\r\n');

export function addFrameRoute(app: FastifyInstance): void {
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    scope.get('/frame', (_request, reply) => {
      reply.headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': BLANK });
      return reply.send('<!doctype html><title>inboxd</title>');
    });
    scope.post('/frame', { bodyLimit: HTTP_LIMITS.frameBytes }, (request, reply) => {
      const { origin, host } = request.headers;
      // others must not have us show what they wrote, harmless as it is here
      if (origin === undefined || !URL.canParse(origin) || new URL(origin).host !== host?.toLowerCase()) {
        return sendForbidden(reply, 'Blocked: only the page of this server shows mails here');
      }
      const { images } = request.query as { images?: unknown };
      reply.headers({
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': images === 'remote' ? REMOTE : HELD,
        'x-dns-prefetch-control': 'off',
      });
      return reply.send(formValue(request.body));
    });
  });
}

function formValue(body: unknown): Buffer {
  if (!Buffer.isBuffer(body) || !body.subarray(0, NAME.length).equals(NAME)) return Buffer.alloc(0);
  const ends = body.subarray(-LINE_END.length).equals(LINE_END);
  return body.subarray(NAME.length, ends ? -LINE_END.length : undefined);
}
