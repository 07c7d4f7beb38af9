import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { addFrameRoute } from './frame.ts';
import { type FrontOptions, frontText } from './front.ts';
import { type PageFile, readPageFiles } from './page-files.ts';
import { sendNotFound } from './replies.ts';

/**
 * What the page may do: run and load what the daemon serves, nothing else and from nowhere else. Text becomes markup
 * only by the named policy, which is Svelte's for its own templates.
 */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types svelte-trusted-html',
].join('; ');

export interface PageOptions extends FrontOptions {
  /** The built page; by default what lies beside the program. */
  readonly files?: ReadonlyMap<string, PageFile>;
}

/** The page at `/` and its files; where the page has not been built, a text that says what is here. */
export function addPageRoutes(app: FastifyInstance, options: PageOptions): void {
  const files = options.files ?? readPageFiles();
  app.route({
    method: ['GET', 'HEAD'],
    url: '/',
    handler: (request, reply) => {
      const index = files.get('index.html');
      reply.header('vary', 'Accept, Accept-Encoding');
      if (index === undefined || !takesHtml(request.headers.accept)) return sendFrontText(reply, options);
      reply.headers({
        'content-security-policy': PAGE_POLICY,
        'cross-origin-opener-policy': 'same-origin',
      });
      return sendFile(request, reply, index, 'no-store');
    },
  });
  app.route({
    method: ['GET', 'HEAD'],
    url: '/assets/:name',
    handler: (request, reply) => {
      const { name } = request.params as { name: string };
      const file = files.get(`assets/${name}`);
      reply.header('vary', 'Accept-Encoding');
      // the name holds a hash of the content
      return file ? sendFile(request, reply, file, 'public, max-age=31536000, immutable') : sendNotFound(reply);
    },
  });
  addFrameRoute(app);
}

/** Browsers and curl take HTML; a program that says nothing, or asks for plain text, is better served with the text. */
function takesHtml(accept: string | undefined): boolean {
  return accept !== undefined && (/text\/html|\*\/\*/.test(accept) || !accept.includes('text/plain'));
}

function sendFrontText(reply: FastifyReply, options: FrontOptions): FastifyReply {
  return reply.header('content-type', 'text/plain; charset=utf-8').send(frontText(options));
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: PageFile, caching: string): FastifyReply {
  reply.headers({ 'cache-control': caching, etag: file.etag });
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known?.includes(file.etag) || known?.includes('*')) return reply.code(304).send();
  const takesGzip = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(request.headers['accept-encoding'] ?? '');
  const zipped = takesGzip ? file.gzip() : undefined;
  if (zipped) reply.header('content-encoding', 'gzip');
  return reply.header('content-type', file.type).send(zipped ?? file.bytes);
}
