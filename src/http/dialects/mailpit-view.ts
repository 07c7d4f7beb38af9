import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Parser } from 'htmlparser2';
import type { ParsedMail } from '../../mail/mime.ts';
import type { OpenedMail } from '../../mail/opened-mail.ts';
import type { Context } from '../context.ts';
import { sendNoMessage, sendText } from '../replies.ts';
import { findMessage } from './mailpit-id.ts';
import { markRead } from './mailpit-read.ts';
import { parameter } from './mailpit-request.ts';

/**
 * Mails as pages of their own, for tests that open them in a browser.
 *
 * The HTML is what was sent, pictures that came with it put in place; it is not cleaned. What keeps it from doing
 * harm are fields of the reply, which no markup can touch: no script of the mail runs, and nothing is loaded from
 * anywhere but from here.
 */
export function addViewRoutes(app: FastifyInstance, context: Context): void {
  app.get('/view/:name', { config: { right: 'read' } }, async (request, reply) => {
    const { name } = request.params as { name: string };
    const [, id = '', kind] = /^([0-9A-Za-z]+)(?:\.(html|txt))?$/.exec(name) ?? [];
    if (id === '') return sendNoMessage(reply);
    const found = await findMessage(id, request, reply, context);
    if (found === undefined) return reply;
    // the page shows one message by its address behind the #
    if (kind === undefined) return reply.redirect(id === 'latest' ? `/view/${found}` : `/#/?m=${found}`);
    const parsed = await context.reader.parsed(found);
    if (parsed === undefined) return sendNoMessage(reply);
    return kind === 'txt' ? viewText(found, parsed, reply) : viewHtml(found, parsed, request, reply);
  });

  // cypress-mailpit asks with two slashes, and Mailpit's router sends it on
  app.get('//view/:name', (request, reply) => {
    const query = request.url.indexOf('?');
    const { name } = request.params as { name: string };
    return reply.redirect(`/view/${encodeURIComponent(name)}${query < 0 ? '' : request.url.slice(query)}`, 301);
  });

  async function viewText(id: string, { shownText }: OpenedMail, reply: FastifyReply): Promise<FastifyReply> {
    await markRead(id, context);
    return reply.header('content-type', 'text/plain; charset=utf-8').send(shownText);
  }

  async function viewHtml(
    id: string,
    parsed: ParsedMail,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    if (parsed.html === '') return sendText(reply, 404, 'This message does not contain a HTML part');
    await markRead(id, context);
    const html = linkPictures(id, parsed);
    const isEmbedded = parameter(request, 'embed') === '1';
    return reply
      .headers({
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': isEmbedded ? EMBEDDED_POLICY : POLICY,
        'x-dns-prefetch-control': 'off',
      })
      .send(isEmbedded ? embed(html) : html);
  }
}

const SCRIPT =
  'addEventListener("load",()=>{if(parent!==window)parent.postMessage({messageHeight:document.body.scrollHeight},"*")})';
const SCRIPT_HASH = createHash('sha256').update(SCRIPT).digest('base64');

// `same-origin` is for the pictures, which are ours; it gives no power to a document that cannot run a script
const POLICY = viewPolicy('', "'none'", "'none'");
const EMBEDDED_POLICY = viewPolicy(' allow-scripts', `'sha256-${SCRIPT_HASH}'`, "'self'");

function viewPolicy(sandbox: string, scripts: string, ancestors: string): string {
  return [
    `sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox${sandbox}`,
    "default-src 'none'",
    `script-src ${scripts}`,
    "img-src 'self' data:",
    "style-src 'unsafe-inline'",
    'font-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${ancestors}`,
  ].join('; ');
}

/** Puts the pictures that the mail brought where its HTML names them by their content id. */
function linkPictures(id: string, { html, parts }: ParsedMail): string {
  const byContentId = new Map(
    parts.filter(({ contentId }) => contentId !== '').map(({ contentId, partId }) => [contentId, partId]),
  );
  if (byContentId.size === 0) return html;
  return html.replace(/(=["']?|\burl\(["']?)cid:([^"'\s<>;)]{1,256})/gi, (whole, before: string, name: string) => {
    const part = byContentId.get(name) ?? byContentId.get(decoded(name));
    return part === undefined ? whole : `${before}/api/v1/message/${id}/part/${part}`;
  });
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // a percent sign that stands for itself
  }
}

/**
 * Makes links open in a tab of their own and has the document tell its height to the page around it.
 * Attributes are put in front of those that a link has: of two with the same name the first one counts.
 */
function embed(html: string): string {
  const pieces: string[] = [];
  let from = 0;
  let end = -1;
  const parser = new Parser({
    onopentagname(name) {
      if (name !== 'a' && name !== 'area') return;
      const at = parser.startIndex + 1 + name.length;
      pieces.push(html.slice(from, at), ' target="_blank" rel="noreferrer noopener"');
      from = at;
    },
    onclosetag(name, isImplied) {
      if (name === 'body' && !isImplied) end = parser.startIndex;
    },
  });
  parser.end(html);
  if (end < from) end = html.length;
  pieces.push(html.slice(from, end), `<script>${SCRIPT}</script>`, html.slice(end));
  return pieces.join('');
}
