import type { FastifyInstance } from 'fastify';
import type { Context } from '../context.ts';
import { daemonRoutes, descriptionRoutes } from './daemon-routes.ts';
import { DOCS_POLICY, docsPage } from './docs.ts';
import { eventRoutes } from './event-routes.ts';
import { EventStreams } from './event-streams.ts';
import { inboxRoutes } from './inbox-routes.ts';
import { listRoutes } from './list-routes.ts';
import { messageRoutes } from './message-routes.ts';
import { describeApi } from './openapi.ts';
import { addRoutes, type Route } from './route.ts';
import { waitRoutes } from './wait-routes.ts';
import { WaitingRoom } from './waiting-room.ts';
import { webhookRoutes } from './webhook-routes.ts';

/** The native API, all below `/api/`. Every route is a row; the description of the API is made of the same rows. */
export function addNativeRoutes(app: FastifyInstance, context: Context): void {
  const streams = new EventStreams(context);
  const room = new WaitingRoom(context);
  const routes: Route[] = [
    ...inboxRoutes(context),
    ...listRoutes(context),
    ...waitRoutes(context, room),
    ...messageRoutes(context),
    ...eventRoutes(context, streams),
    ...webhookRoutes(context),
    ...daemonRoutes(context),
    ...descriptionRoutes(() => (description ??= describe())),
  ];
  const describe = () => ({
    json: JSON.stringify(describeApi(routes, context.version)),
    page: docsPage(routes, context.version),
    policy: DOCS_POLICY,
  });
  let description: ReturnType<typeof describe> | undefined;

  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(...parseJson(String(body))));
    addRoutes(scope, routes);
  });
  // a preflight has passed the check of its origin, which is all there is to it
  app.options('/api/*', { config: { right: 'public' } }, (_request, reply) => reply.code(204).send());
  // replies that last would else keep the server from closing
  app.addHook('preClose', async () => {
    streams.close();
    room.close();
  });
}

/** Reads a body; an empty one is none. */
function parseJson(text: string): [Error | null, unknown?] {
  if (text === '') return [null, undefined];
  try {
    return [null, JSON.parse(text)];
  } catch (cause) {
    return [Object.assign(new Error('The body is not JSON', { cause }), { statusCode: 400 })];
  }
}
