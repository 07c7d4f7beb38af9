import type { FastifyInstance } from 'fastify';
import { createKillableThread, threadEntry } from '../../mail/killable-thread.ts';
import type { CheckJob, CheckResult } from '../checks/check-thread.ts';
import { LinkChecker, type LinkCheckOptions } from '../checks/link-check.ts';
import { askSpamd, type SpamdAddress } from '../checks/spamd.ts';
import type { Context } from '../context.ts';
import { sendBadRequest, sendJson, sendNotFound } from '../replies.ts';
import { messageId } from './mailpit-id.ts';
import { markRead } from './mailpit-read.ts';
import { parameter } from './mailpit-request.ts';

/** Limits of the thread that reads HTML for a check. */
const CHECK_THREAD = Object.freeze({ jobMs: 10_000, waitingJobs: 32, heapMebibytes: 512, idleMs: 30_000 });

export interface ChecksOptions {
  /** How links are tried; tests reach other addresses than the public ones. */
  readonly linkCheck?: Omit<LinkCheckOptions, 'version'>;
  /** SpamAssassin's daemon; without one there is no such check. */
  readonly spamd?: SpamdAddress;
}

/** What a sender wants to know before he sends: does it show everywhere, do its links work. */
export function addCheckRoutes(app: FastifyInstance, context: Context, options: ChecksOptions): void {
  const { reader, report, version } = context;
  const thread = createKillableThread<CheckJob, CheckResult>({
    name: 'html check',
    entry: threadEntry('../checks/check-thread', import.meta.url),
    report,
    ...CHECK_THREAD,
  });
  const links = new LinkChecker({ version, ...options.linkCheck });
  app.addHook('onClose', async () => {
    links.close();
    await thread.close();
  });

  app.get('/api/v1/message/:id/html-check', async (request, reply) => {
    const id = await messageId(request, reply, context);
    if (id === undefined) return reply;
    const parsed = await reader.parsed(id);
    if (parsed === undefined) return sendNotFound(reply);
    if (parsed.html === '') return sendBadRequest(reply, 'message does not contain HTML');
    const result = await thread.run({ kind: 'html', html: parsed.html });
    if (result === undefined || !('html' in result)) return sendBadRequest(reply, 'the HTML cannot be checked in time');
    return sendJson(reply, result.html);
  });

  app.get('/api/v1/message/:id/link-check', async (request, reply) => {
    const id = await messageId(request, reply, context);
    if (id === undefined) return reply;
    const parsed = await reader.parsed(id);
    if (parsed === undefined) return sendNotFound(reply);
    await markRead(id, context);
    const result = await thread.run({ kind: 'links', html: parsed.html, text: parsed.text });
    if (result === undefined || !('links' in result)) return sendBadRequest(reply, 'the links cannot be read in time');
    const follow = /^(true|1)$/i.test(parameter(request, 'follow'));
    return sendJson(reply, await links.check(result.links, follow));
  });

  const { spamd } = options;
  if (spamd === undefined) return;
  app.get('/api/v1/message/:id/sa-check', async (request, reply) => {
    const id = await messageId(request, reply, context);
    if (id === undefined) return reply;
    const content = await context.store.content(id);
    return content === undefined ? sendNotFound(reply) : sendJson(reply, await askSpamd(spamd, content));
  });
}
