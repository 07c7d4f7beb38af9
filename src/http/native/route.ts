import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Right } from '../auth/grant.ts';
import type { ProblemName } from '../problem.ts';

/** A JSON Schema, of the 2020-12 dialect that OpenAPI 3.1 uses. */
export type Schema = { readonly [keyword: string]: unknown };

/** What a route answers with success. */
export interface RouteReply {
  readonly description: string;
  /** Of the JSON it sends. */
  readonly schema?: Schema;
  /** Where it sends something else. */
  readonly type?: string;
}

/**
 * One route of the native API. Everything that holds for it stands here: Fastify's route, the checks of rights and
 * parameters, and its entry in the OpenAPI document are made of the same row.
 */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** As OpenAPI writes it: `/api/messages/{id}`. */
  readonly path: string;
  readonly right: Right | 'public';
  /** Name of the operation in clients that are generated. */
  readonly name: string;
  readonly summary: string;
  /** Schemas of the query parameters; each has a description. */
  readonly query?: Readonly<Record<string, Schema>>;
  readonly body?: Schema;
  /** False where a request without body is one too. */
  readonly wantsBody?: boolean;
  readonly replies: Readonly<Record<number, RouteReply>>;
  readonly problems?: readonly ProblemName[];
  /** False where credentials for some inboxes alone do not do. */
  readonly isScoped?: boolean;
  /** True for files: a HEAD request is answered too. */
  readonly isFile?: boolean;
  /** True where the reply may take long, or never ends. */
  readonly isHeld?: boolean;
  readonly handle: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> | FastifyReply;
}

/** What a path may hold between slashes, by name. */
export const PATH_PARAMETERS: Readonly<Record<string, Schema>> = {
  inbox: { type: 'string', description: 'Name of an inbox, or an address that goes there' },
  id: { type: 'string', description: 'Id of a message' },
  webhook: { type: 'string', description: 'Name of a webhook' },
  part: { type: 'string', description: 'Number of a part, as in `1.2`' },
};

/** Adds routes that stand in rows. */
export function addRoutes(app: FastifyInstance, routes: readonly Route[]): void {
  for (const { method, path, right, query, body, isFile, isScoped = true, isHeld = false, handle } of routes) {
    app.route({
      method: isFile ? [method, 'HEAD'] : method,
      url: path.replace(/\{(\w+)\}/g, ':$1'),
      config: { right, scoped: isScoped, held: isHeld },
      schema: {
        querystring: { type: 'object', additionalProperties: false, properties: query ?? {} },
        ...(body !== undefined && { body }),
      },
      preValidation: (request, _reply, done) => {
        readNumbers(request, query ?? {});
        // JSON Schema has no word for a body that is not there
        if (body !== undefined && request.body === undefined) request.body = {};
        done();
      },
      handler: handle,
    });
  }
}

/** Everything in a query string is text; turns into numbers and booleans what is to be such, and looks like it. */
function readNumbers(request: FastifyRequest, schemas: Readonly<Record<string, Schema>>): void {
  const query = request.query as Record<string, unknown>;
  for (const [name, { type }] of Object.entries(schemas)) {
    const text = query[name];
    if (typeof text !== 'string') continue;
    if (type === 'integer' && /^-?\d{1,15}$/.test(text)) query[name] = Number(text);
    if (type === 'number' && /^-?\d{1,15}(?:\.\d{1,9})?$/.test(text)) query[name] = Number(text);
    if (type === 'boolean' && /^(?:true|false)$/.test(text)) query[name] = text === 'true';
  }
}
