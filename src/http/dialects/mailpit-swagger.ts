import type { FastifyInstance } from 'fastify';
import { sendJson } from '../replies.ts';

/** One operation of the API, as its document describes it. */
interface Operation {
  readonly method: 'get' | 'put' | 'post' | 'delete';
  /** Below `/api/v1`; parts in braces are parameters. */
  readonly path: string;
  readonly group: 'messages' | 'message' | 'other' | 'tags' | 'testing' | 'application';
  readonly summary: string;
  readonly query?: readonly (readonly [name: string, type: 'string' | 'integer' | 'boolean', doc: string])[];
  /** What the body may hold, by the name of its fields. */
  readonly body?: Readonly<Record<string, 'string' | 'boolean' | 'array' | 'object'>>;
  readonly produces?: string;
}

const PAGE = [
  ['start', 'integer', 'Messages to leave out before the first'],
  ['limit', 'integer', 'Most messages to give'],
] as const;
const SEARCH = [
  ['query', 'string', 'What to search for'],
  ['tz', 'string', 'Time zone of dates in the query'],
] as const;
const IDS = { IDs: 'array' } as const;

/** Fields of a message to be handed in. */
const SENT = {
  From: 'object',
  To: 'array',
  Cc: 'array',
  Bcc: 'array',
  ReplyTo: 'array',
  Subject: 'string',
  Text: 'string',
  HTML: 'string',
  Attachments: 'array',
  Tags: 'array',
  Headers: 'object',
} as const;

const OPERATIONS: readonly Operation[] = [
  { method: 'get', path: '/messages', group: 'messages', summary: 'Messages, newest first', query: PAGE },
  {
    method: 'put',
    path: '/messages',
    group: 'messages',
    summary: 'Mark messages read or unread: those named, those found, or all',
    query: [['tz', 'string', 'Time zone of dates in the search']],
    body: { ...IDS, Read: 'boolean', Search: 'string' },
  },
  {
    method: 'delete',
    path: '/messages',
    group: 'messages',
    summary: 'Delete the messages named, or all of them when none is',
    body: IDS,
  },
  { method: 'get', path: '/search', group: 'messages', summary: 'Messages found', query: [...SEARCH, ...PAGE] },
  { method: 'delete', path: '/search', group: 'messages', summary: 'Delete the messages found', query: SEARCH },
  { method: 'post', path: '/send', group: 'messages', summary: 'Hand in a message', body: SENT },
  { method: 'get', path: '/message/{id}', group: 'message', summary: 'A message, which is marked read' },
  { method: 'get', path: '/message/{id}/headers', group: 'message', summary: 'Header fields' },
  { method: 'get', path: '/message/{id}/raw', group: 'message', summary: 'As it came', produces: 'text/plain' },
  {
    method: 'get',
    path: '/message/{id}/part/{part}',
    group: 'message',
    summary: 'One part',
    produces: 'application/octet-stream',
  },
  {
    method: 'get',
    path: '/message/{id}/part/{part}/thumb',
    group: 'message',
    summary: 'A small picture of a part that is one',
    produces: 'image/jpeg',
  },
  { method: 'get', path: '/message/{id}/html-check', group: 'other', summary: 'Which mail clients show its HTML' },
  {
    method: 'get',
    path: '/message/{id}/link-check',
    group: 'other',
    summary: 'Whether its links lead anywhere',
    query: [['follow', 'boolean', 'Follow redirects']],
  },
  { method: 'get', path: '/message/{id}/sa-check', group: 'other', summary: 'What SpamAssassin says' },
  { method: 'get', path: '/tags', group: 'tags', summary: 'Every tag in use' },
  {
    method: 'put',
    path: '/tags',
    group: 'tags',
    summary: 'Replace the tags of messages',
    body: { ...IDS, Tags: 'array' },
  },
  { method: 'put', path: '/tags/{tag}', group: 'tags', summary: 'Rename a tag', body: { Name: 'string' } },
  { method: 'delete', path: '/tags/{tag}', group: 'tags', summary: 'Take a tag off all messages' },
  { method: 'get', path: '/chaos', group: 'testing', summary: 'Refusals by chance' },
  {
    method: 'put',
    path: '/chaos',
    group: 'testing',
    summary: 'Set refusals by chance',
    body: { Sender: 'object', Recipient: 'object', Authentication: 'object' },
  },
  { method: 'get', path: '/info', group: 'application', summary: 'About the daemon' },
  { method: 'get', path: '/webui', group: 'application', summary: 'What a web interface wants to know' },
  { method: 'get', path: '/swagger.json', group: 'application', summary: 'This document' },
];

/** Mailpit's API described in its own way, Swagger 2.0. */
export function addSwaggerRoute(app: FastifyInstance, version: string): void {
  const document = describe(version);
  app.get('/api/v1/swagger.json', (_request, reply) => sendJson(reply, document));
}

function describe(version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of OPERATIONS) {
    const { method, path, group, summary, query = [], body, produces = 'application/json' } = operation;
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      in: 'path',
      name: name!,
      required: true,
      type: 'string',
    }));
    const inQuery = query.map(([name, type, description]) => ({ in: 'query', name, type, description }));
    const inBody = body && [{ in: 'body', name: 'body', schema: { type: 'object', properties: propertiesOf(body) } }];
    const responses = { 200: { description: 'Done' }, default: { description: 'Refused; the text says why' } };
    const parameters = [...inPath, ...inQuery, ...(inBody ?? [])];
    paths[path] = {
      ...paths[path],
      [method]: {
        tags: [group],
        summary,
        operationId: `${method}${path.replace(/\W+(\w?)/g, (_found, letter: string) => letter.toUpperCase())}`,
        produces: [produces],
        ...(body && { consumes: ['application/json'] }),
        ...(parameters.length > 0 && { parameters }),
        responses,
      },
    };
  }
  return {
    swagger: '2.0',
    info: { title: "Mailpit's API v1, as inboxd speaks it", version },
    basePath: '/api/v1',
    consumes: ['application/json'],
    produces: ['application/json'],
    paths,
  };
}

function propertiesOf(body: NonNullable<Operation['body']>): object {
  return Object.fromEntries(
    Object.entries(body).map(([name, type]) => [name, type === 'array' ? { type, items: {} } : { type }]),
  );
}
