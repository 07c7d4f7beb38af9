import { PROBLEMS, type ProblemName } from '../problem.ts';
import { PATH_PARAMETERS, type Route, type Schema } from './route.ts';
import { SCHEMAS } from './schemas.ts';

/** Problems that any route may answer with. */
const EVERYWHERE: readonly ProblemName[] = ['bad-parameter', 'failure'];
const WITH_RIGHTS: readonly ProblemName[] = ['unauthorized', 'forbidden', 'too-many'];

/** Describes the routes as OpenAPI 3.1. Made of the rows that the routes are made of, so the two cannot differ. */
export function describeApi(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    paths[route.path]![route.method.toLowerCase()] = describeRoute(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'inboxd',
      version,
      description:
        'Every address has an inbox. Reading changes nothing; lists page by `cursor`; errors are problem documents (RFC 9457).',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, { basic: [] }, { session: [] }],
    paths,
    components: {
      schemas: SCHEMAS,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A token, as `inboxd token create` prints it' },
        basic: {
          type: 'http',
          scheme: 'basic',
          description: 'A user of the file, or any name with a token as password',
        },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'inboxd_session',
          description: 'As `POST /api/session` sets it',
        },
      },
    },
  };
}

function describeRoute(route: Route): object {
  const problems = new Set([
    ...EVERYWHERE,
    ...(route.right === 'public' ? [] : WITH_RIGHTS),
    ...(route.problems ?? []),
  ]);
  const replies: Record<string, object> = {};
  for (const [status, { description, schema, type }] of Object.entries(route.replies)) {
    const content = schema
      ? { 'application/json': { schema } }
      : type
        ? { [type]: { schema: { type: 'string' } } }
        : undefined;
    replies[status] = { description, ...(content && { content }) };
  }
  for (const name of problems) {
    const { status, title } = PROBLEMS[name];
    replies[status] = {
      description: title,
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  }
  return {
    operationId: route.name,
    summary: route.summary,
    ...(route.right === 'public' ? { security: [] } : { 'x-right': route.right }),
    parameters: [
      ...[...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) =>
        parameter('path', name!, PATH_PARAMETERS[name!] ?? {}, true),
      ),
      ...Object.entries(route.query ?? {}).map(([name, schema]) => parameter('query', name, schema, false)),
    ],
    ...(route.body && {
      requestBody: { required: route.wantsBody !== false, content: { 'application/json': { schema: route.body } } },
    }),
    responses: replies,
  };
}

function parameter(
  place: 'path' | 'query',
  name: string,
  { description, ...schema }: Schema,
  required: boolean,
): object {
  return { name, in: place, required, ...(description !== undefined && { description }), schema };
}
