import { inboxNameFromText } from '../../mail/inbox.ts';
import { covers } from '../auth/grant.ts';
import type { Context } from '../context.ts';
import { sendProblem } from '../problem.ts';
import type { EventStreams } from './event-streams.ts';
import { readQuery } from './list-routes.ts';
import type { Route } from './route.ts';
import { SEARCH } from './schemas.ts';

/** Live events as server-sent events; with `Upgrade: websocket` the same path speaks Mailpit's dialect. */
export function eventRoutes({ naming }: Context, streams: EventStreams): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/events',
      right: 'read',
      name: 'streamEvents',
      summary:
        'Server-sent events `received`, `changed` and `deleted`; goes on behind the event of Last-Event-ID, and says `reset` ' +
        'where that is no longer possible and everything has to be read anew',
      query: {
        inbox: { type: 'string', maxLength: 1_024, description: 'Only events of this inbox' },
        q: { ...SEARCH, description: 'Of received and changed only what this search finds' },
        since: { type: 'integer', minimum: 0, description: 'Like Last-Event-ID, for clients that cannot set it' },
      },
      replies: { 200: { description: 'The stream', type: 'text/event-stream' } },
      problems: ['bad-query', 'too-many', 'unavailable'],
      isHeld: true,
      handle(request, reply) {
        const { inbox: text, q, since } = request.query as { inbox?: string; q?: string; since?: number };
        const inbox = text === undefined ? undefined : inboxNameFromText(text, naming);
        if (text !== undefined && inbox === undefined) {
          return sendProblem(reply, 'bad-parameter', 'This is no name of an inbox', { parameter: 'inbox' });
        }
        if (inbox !== undefined && !covers(request.grant, inbox)) {
          return sendProblem(reply, 'forbidden', 'The credentials are for other inboxes', { parameter: 'inbox' });
        }
        const query = readQuery(reply, q, 'q');
        if (query === undefined) return reply;
        const last = request.headers['last-event-id'];
        const from = typeof last === 'string' && /^\d{1,15}$/.test(last) ? Number(last) : since;
        const { grant } = request;
        const filter = { query, grant, ...(inbox !== undefined && { inbox }) };
        if (!streams.open(reply, filter, from)) return sendProblem(reply, 'unavailable', 'Too many streams already');
        return reply;
      },
    },
  ];
}
