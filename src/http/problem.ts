import type { FastifyError, FastifyReply } from 'fastify';
import { sendJson } from './replies.ts';

/** What can be wrong with a request to the native API; each is explained at `/api/docs`. */
// biome-ignore format: a table
export const PROBLEMS = Object.freeze({
  'bad-request':     { status: 400, title: 'The request cannot be read' },
  'bad-parameter':   { status: 400, title: 'A parameter is missing or not allowed' },
  'bad-query':       { status: 400, title: 'The search cannot be read' },
  'unauthorized':    { status: 401, title: 'Credentials are missing or not valid' },
  'forbidden':       { status: 403, title: 'The credentials do not allow this' },
  'blocked':         { status: 403, title: 'The Host or Origin of the request is not allowed' },
  'not-found':       { status: 404, title: 'There is no such thing' },
  'gone':            { status: 410, title: 'That far back nothing is kept' },
  'too-large':       { status: 413, title: 'The request is too large' },
  'range':           { status: 416, title: 'The range lies outside of the content' },
  'too-many':        { status: 429, title: 'Too many at once, in a short time, or failed' },
  'failure':         { status: 500, title: 'Something of ours failed; the log has the cause' },
  'unavailable':     { status: 503, title: 'Not now' },
});

export type ProblemName = keyof typeof PROBLEMS;

export interface ProblemDetails {
  /** The parameter that it is about. */
  readonly parameter?: string;
  /** Where in it, from 0. */
  readonly at?: number;
}

/** Sends a problem document (RFC 9457); `detail` is for people and may quote the client. */
export function sendProblem(
  reply: FastifyReply,
  name: ProblemName,
  detail: string,
  more: ProblemDetails = {},
): FastifyReply {
  const { status, title } = PROBLEMS[name];
  reply.code(status).removeHeader('etag');
  return sendJson(reply, { type: `/api/docs#${name}`, title, status, detail, ...more }, 'application/problem+json');
}

/** True for paths of the native API; others below `/api/` speak another server's dialect. */
export function isNative(url: string): boolean {
  return /^\/api(?!\/v1(?:[/?]|$))(?:[/?]|$)/.test(url);
}

/** Answers what a route of the native API threw, or what Fastify refused before it ran. */
export function answerProblem(error: FastifyError, reply: FastifyReply): FastifyReply {
  if (error.statusCode === 413) return sendProblem(reply, 'too-large', 'The body is longer than is taken');
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return error.validation === undefined
      ? sendProblem(reply, 'bad-request', 'The request cannot be read')
      : sendSchemaFault(reply, error.validation);
  }
  return sendProblem(reply, 'failure', 'The log has the cause');
}

/** Names the parameter that does not fit its schema. */
function sendSchemaFault(reply: FastifyReply, faults: NonNullable<FastifyError['validation']>): FastifyReply {
  const fault = faults[0];
  const params: Readonly<Record<string, unknown>> = fault?.params ?? {};
  const inside = fault?.instancePath.split('/')[1]?.replaceAll('~1', '/').replaceAll('~0', '~');
  const named = inside ?? params.additionalProperty ?? params.missingProperty;
  const parameter = typeof named === 'string' && named !== '' ? named : undefined;
  return sendProblem(
    reply,
    'bad-parameter',
    faultText(fault?.keyword, fault?.message, params),
    parameter === undefined ? {} : { parameter },
  );
}

function faultText(
  keyword: string | undefined,
  message: string | undefined,
  params: Readonly<Record<string, unknown>>,
): string {
  if (keyword === 'additionalProperties') return 'There is no such parameter';
  if (keyword === 'enum') return `It must be one of ${(params.allowedValues as unknown[]).join(', ')}`;
  if (keyword === 'oneOf' || keyword === 'anyOf') return 'What is given says too little, or contradicts itself';
  return `It ${message ?? 'is not allowed'}`;
}
