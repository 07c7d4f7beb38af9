import type { TlsOptions } from 'node:tls';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import type { Naming } from '../mail/inbox.ts';
import { createMimeParser, type MimeParser } from '../mail/mime-parser.ts';
import type { Reporter } from '../mail/report.ts';
import type { Store } from '../mail/store.ts';
import type { WebhookDesk } from '../mail/webhook-desk.ts';
import { type Access, OPEN_ACCESS } from './auth/access.ts';
import { authenticate } from './auth/guard.ts';
import { Clients, limitClients } from './clients.ts';
import type { Context, RuntimeCounters } from './context.ts';
import { addMailpitRoutes, type MailpitOptions } from './dialects/mailpit.ts';
import { wantsWebSocket } from './dialects/mailpit-events.ts';
import { HTTP_LIMITS, type HttpLimits } from './limits.ts';
import { MessageReader } from './message-reader.ts';
import { addMetricsRoute, type MetricsText } from './metrics-route.ts';
import { addMtaStsRoute, type MtaStsPolicy, mtaStsHosts } from './mta-sts.ts';
import { addNativeRoutes } from './native/native.ts';
import { addPageRoutes } from './page.ts';
import { answerProblem, isNative, sendProblem } from './problem.ts';
import { sendBadRequest, sendFailure, sendNotFound, sendText, sendTooLarge } from './replies.ts';
import { type AccessRules, guard, secure } from './security.ts';
import { LATE_SCHEMAS } from './validation.ts';

export interface HttpOptions extends AccessRules, MailpitOptions {
  readonly store: Store;
  readonly version: string;
  readonly report: Reporter;
  readonly limits?: Partial<HttpLimits>;
  /** What the daemon has counted; zeros when absent. */
  readonly counters?: () => RuntimeCounters;
  /** Has a listener told of every refusal to a mail client; of none when absent. */
  readonly refusals?: Context['refusals'];
  /** Policy for senders of mail; without it there is no such document. */
  readonly mtaSts?: MtaStsPolicy;
  /** What `/metrics` answers; without it there is no such path. */
  readonly metrics?: MetricsText;
  /** Where webhooks are looked after; there are none when absent. */
  readonly webhooks?: WebhookDesk;
  /** URLs that the daemon listens on, for the page at `/`. */
  readonly listeners?: () => readonly string[];
  /** Which part of an address names its inbox; `full` when absent. */
  readonly naming?: Naming;
  /** Decides who may do what; by default everybody may do everything. */
  readonly access?: Access;
  /** Certificates and what else Node.js wants for HTTPS; plain HTTP when absent. */
  readonly tls?: TlsOptions;
  /** Counts what clients have and ask for; one for all servers of a daemon. */
  readonly clients?: Clients;
  /** Takes mails apart; by default a thread of its own, which closes with the server. */
  readonly parser?: MimeParser;
}

const NO_COUNTS: RuntimeCounters = { smtpAccepted: 0, smtpAcceptedBytes: 0, smtpRejected: 0, smtpIgnored: 0 };

const NO_WEBHOOKS: WebhookDesk = {
  list: async () => [],
  dead: async () => undefined,
  replay: async () => undefined,
  test: async () => undefined,
};

/** Makes the HTTP side of the daemon; it does not listen yet. Closing it leaves the store open. */
export function createHttpServer(options: HttpOptions): FastifyInstance {
  const { store, version, report, hostname } = options;
  const limits: HttpLimits = { ...HTTP_LIMITS, ...options.limits };
  const parser = options.parser ?? createMimeParser({ report, parseMs: limits.parseMs });
  const serverOptions = {
    shouldUpgradeCallback: wantsWebSocket,
    headersTimeout: limits.headerMs,
    connectionsCheckingInterval: limits.timeoutCheckMs,
  };
  const app = Fastify({
    ...(options.tls ? { https: { ...options.tls, ...serverOptions } } : { http: serverOptions }),
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    connectionTimeout: limits.silentMs,
    exposeHeadRoutes: false,
    schemaController: LATE_SCHEMAS,
    routerOptions: { maxParamLength: limits.parameterCharacters },
    // URLs that the router refuses, before any hook runs
    frameworkErrors: (error, _request, reply) => {
      const secured = secure(reply as FastifyReply);
      return error.code === 'FST_ERR_BAD_URL' ? sendBadRequest(secured, 'Bad request') : sendNotFound(secured);
    },
  });
  const context: Context = {
    store,
    reader: new MessageReader(store, parser, limits),
    version,
    report,
    counters: options.counters ?? (() => NO_COUNTS),
    refusals: options.refusals ?? (() => () => {}),
    startedAt: new Date(),
    access: options.access ?? OPEN_ACCESS,
    limits,
    hostname,
    naming: options.naming ?? 'full',
    webhooks: options.webhooks ?? NO_WEBHOOKS,
    listeners: options.listeners ?? (() => []),
  };

  limitClients(app, options.clients ?? new Clients());
  const { mtaSts } = options;
  guard(
    app,
    mtaSts ? { ...options, allowedHosts: [...(options.allowedHosts ?? []), ...mtaStsHosts(mtaSts)] } : options,
  );
  authenticate(app, context.access);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setNotFoundHandler((request, reply) =>
    isNative(request.url) ? sendProblem(reply, 'not-found', 'There is no such path') : sendNotFound(reply),
  );
  app.setErrorHandler((error: FastifyError, request, reply) => {
    reply.removeHeader('content-disposition');
    if (error.statusCode === undefined || error.statusCode >= 500) report({ type: 'crash', where: 'http', error });
    return isNative(request.url) ? answerProblem(error, reply) : answerError(error, reply);
  });
  addMailpitRoutes(app, context, options);
  addNativeRoutes(app, context);
  if (mtaSts) addMtaStsRoute(app, mtaSts);
  addMetricsRoute(app, context, options.metrics);
  addPageRoutes(app, { version, hostname, listeners: options.listeners ?? (() => []) });
  if (options.parser === undefined) app.addHook('onClose', () => parser.close());
  return app;
}

/** Tells the client no more than he needs; the cause of what is our fault goes to the report. */
function answerError(error: FastifyError, reply: FastifyReply): FastifyReply {
  if (error.statusCode === 413) return sendTooLarge(reply);
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return sendText(reply, error.statusCode, 'Bad request');
  }
  return sendFailure(reply);
}
