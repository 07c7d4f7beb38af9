import type { FastifyInstance } from 'fastify';
import type { Query } from '../../mail/query.ts';
import type { Store } from '../../mail/store.ts';
import { cleanTags } from '../../mail/tags.ts';
import type { Context } from '../context.ts';
import { sendBadRequest, sendJson, sendOk } from '../replies.ts';
import { storeFor } from '../store-for.ts';
import type { MailpitHubs } from './mailpit-hubs.ts';
import { decodeBody, strings } from './mailpit-request.ts';

/** Tags of messages; one that no message has is gone. */
export function addTagRoutes(app: FastifyInstance, context: Context, hubs: MailpitHubs): void {
  app.get('/api/v1/tags', async (request, reply) => sendJson(reply, await tagNames(storeFor(request, context))));

  app.put('/api/v1/tags', async (request, reply) => {
    const body = decodeBody(request);
    const tags = body && strings(body, 'tags');
    const ids = body && strings(body, 'ids');
    if (tags === undefined || ids === undefined) {
      return sendBadRequest(reply, 'Error: the body must be JSON like {"Tags": ["..."], "IDs": ["..."]}');
    }
    if (ids.length > 0) await storeFor(request, context).change({ ids }, { tags: cleanTags(tags) });
    return sendOk(reply);
  });

  app.put('/api/v1/tags/:tag', async (request, reply) => {
    const { tag } = request.params as { tag: string };
    const name = decodeBody(request)?.get('name');
    if (typeof name !== 'string') return sendBadRequest(reply, 'Error: the body must be JSON like {"Name": "..."}');
    const [wanted = ''] = cleanTags([name]);
    if (wanted === '') return sendBadRequest(reply, `invalid tag name: ${name}`);
    const store = storeFor(request, context);
    const known = await tagNames(store);
    const old = findTag(known, tag);
    if (old === undefined) return sendBadRequest(reply, `tag not found: ${tag}`);
    const other = findTag(known, wanted);
    if (other !== undefined && other !== old) return sendBadRequest(reply, `tag already exists: ${wanted}`);
    await store.change({ query: tagged(old) }, { removeTags: [old], addTags: [wanted] });
    hubs.prune();
    return sendOk(reply);
  });

  app.delete('/api/v1/tags/:tag', async (request, reply) => {
    const { tag } = request.params as { tag: string };
    const store = storeFor(request, context);
    const old = findTag(await tagNames(store), tag);
    if (old === undefined) return sendBadRequest(reply, `tag not found: ${tag}`);
    await store.change({ query: tagged(old) }, { removeTags: [old] });
    hubs.prune();
    return sendOk(reply);
  });
}

/** Names of all tags in use, sorted. */
export async function tagNames(store: Store): Promise<string[]> {
  return [...(await store.tags()).keys()].sort((one, other) => (one.toLowerCase() < other.toLowerCase() ? -1 : 1));
}

function findTag(known: readonly string[], tag: string): string | undefined {
  return known.find((one) => one.toLowerCase() === tag.toLowerCase());
}

function tagged(tag: string): Query {
  return { kind: 'field', field: 'tag', text: tag, prefix: false };
}
