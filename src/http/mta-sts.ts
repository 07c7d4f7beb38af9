import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { sendNotFound } from './replies.ts';

/** What senders are told about TLS of our domains (RFC 8461). */
export interface MtaStsPolicy {
  /** Domains it is for; each is asked for at `mta-sts.` and its name. */
  readonly domains: readonly string[];
  readonly mode: 'enforce' | 'testing' | 'none';
  /** Names of our servers, `*.` in front for any one label. */
  readonly mx: readonly string[];
  readonly maxAgeMs: number;
}

/** The document of a policy (RFC 8461 §3.2). */
export function mtaStsDocument({ mode, mx, maxAgeMs }: MtaStsPolicy): string {
  const fields = ['version: STSv1', `mode: ${mode}`, ...mx.map((name) => `mx: ${name}`)];
  return [...fields, `max_age: ${Math.floor(maxAgeMs / 1000)}`, ''].join('\r\n');
}

/** What the TXT record at `_mta-sts.` and the domain says; its id follows the document, so that senders see a change. */
export function mtaStsRecord(policy: MtaStsPolicy): string {
  const id = createHash('sha256').update(mtaStsDocument(policy)).digest('hex').slice(0, 20);
  return `v=STSv1; id=${id};`;
}

/** Serves the policy to whoever asks for it under the name that it has for a domain. */
export function addMtaStsRoute(app: FastifyInstance, policy: MtaStsPolicy): void {
  const hosts = new Set(mtaStsHosts(policy));
  const document = mtaStsDocument(policy);
  app.route({
    method: ['GET', 'HEAD'],
    url: '/.well-known/mta-sts.txt',
    config: { right: 'public' },
    handler: (request, reply) => {
      const host = (request.headers.host ?? '').replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
      if (!hosts.has(host)) return sendNotFound(reply);
      return reply.type('text/plain').send(document);
    },
  });
}

/** Names that the policy is asked for under. */
export function mtaStsHosts({ domains }: MtaStsPolicy): string[] {
  return domains.map((domain) => `mta-sts.${domain.toLowerCase()}`);
}
