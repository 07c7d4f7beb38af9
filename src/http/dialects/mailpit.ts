import type { FastifyInstance } from 'fastify';
import type { Context } from '../context.ts';
import { sendText } from '../replies.ts';
import { addCheckRoutes, type ChecksOptions } from './mailpit-checks.ts';
import { addEventRoutes } from './mailpit-events.ts';
import { MailpitHubs } from './mailpit-hubs.ts';
import { addInfoRoutes } from './mailpit-info.ts';
import { addMessageRoutes } from './mailpit-message.ts';
import { addMessagesRoutes } from './mailpit-messages.ts';
import { addSendRoutes, type SendOptions } from './mailpit-send.ts';
import { addSwaggerRoute } from './mailpit-swagger.ts';
import { addTagRoutes } from './mailpit-tags.ts';
import { addThumbRoutes } from './mailpit-thumb.ts';
import { addViewRoutes } from './mailpit-view.ts';
import { addWebuiRoutes, type WebuiOptions } from './mailpit-webui.ts';

/** What the dialect wants of the daemon beside the store. */
export interface MailpitOptions extends ChecksOptions, SendOptions, WebuiOptions {}

/** Routes that keep to the inboxes of whoever asks: they go through `storeFor`, or `messageId`, which does. */
const SCOPED: readonly RegExp[] = [
  /^\/api\/v1\/(?:messages|search|info|webui)$/,
  /^\/api\/v1\/message\/:id(?:\/|$)/,
  /^\/api\/v1\/tags(?:\/|$)/,
  /^\/\/?view\//,
];

/**
 * Mailpit's API v1, so that the clients written for it work here unchanged.
 *
 * Not everything is copied. A request body over the limit is refused with 413, where Mailpit takes it for "delete all".
 * Search terms that cannot be answered are refused with 400, where Mailpit ignores them. Empty lists are always `[]`.
 */
export function addMailpitRoutes(app: FastifyInstance, context: Context, options: MailpitOptions): void {
  const hubs = new MailpitHubs(context);
  app.addHook('onRoute', (route) => {
    if (SCOPED.some((pattern) => pattern.test(route.url))) route.config = { ...route.config, scoped: true };
  });
  addMessagesRoutes(app, context, hubs);
  addMessageRoutes(app, context);
  addThumbRoutes(app, context);
  addCheckRoutes(app, context, options);
  addSendRoutes(app, context, options);
  addViewRoutes(app, context);
  addWebuiRoutes(app, { ...options, hasSpamCheck: options.spamd !== undefined });
  addTagRoutes(app, context, hubs);
  addInfoRoutes(app, context);
  addEventRoutes(app, context, hubs);
  addSwaggerRoute(app, context.version);
  app.options('/api/v1/*', (_request, reply) => sendText(reply, 200, ''));
}
