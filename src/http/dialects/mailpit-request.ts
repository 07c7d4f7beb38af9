import type { FastifyRequest } from 'fastify';

/** What a client asks for, read as Mailpit reads it: names of body keys in any case, what makes no sense is ignored. */

/** First value of a query parameter; '' if it is absent. */
export function parameter(request: FastifyRequest, name: string): string {
  const value = (request.query as Record<string, unknown>)[name];
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' ? first : '';
}

/** Which stretch of a list is wanted. */
export interface Paging {
  readonly start: number;
  readonly limit: number;
  readonly before: Date | undefined;
}

const DEFAULT_LIMIT = 50;

export function paging(request: FastifyRequest): Paging {
  const start = integer(parameter(request, 'start')) ?? 0;
  const limit = integer(parameter(request, 'limit')) ?? DEFAULT_LIMIT;
  return {
    start: Math.max(start, 0),
    limit: limit < 0 ? DEFAULT_LIMIT : limit,
    before: parseDate(parameter(request, 'before')),
  };
}

function integer(text: string): number | undefined {
  return /^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Reads a date as people write it, or a UNIX time in seconds or milliseconds; without zone it is local time. */
export function parseDate(text: string): Date | undefined {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed.length > 64) return undefined;
  if (/^\d{10}$/.test(trimmed)) return new Date(Number(trimmed) * 1000);
  if (/^\d{13}$/.test(trimmed)) return new Date(Number(trimmed));
  // of ISO dates alone JavaScript takes the bare day as UTC
  const at = new Date(/^\d{4}-\d\d-\d\d$/.test(trimmed) ? `${trimmed}T00:00:00` : trimmed);
  return Number.isNaN(at.getTime()) ? undefined : at;
}

/** A decoded request body: the values by lower-cased key. */
export type Body = ReadonlyMap<string, unknown>;

/** Decodes a JSON object; undefined if the body is none. */
export function decodeBody(request: FastifyRequest): Body | undefined {
  if (!Buffer.isBuffer(request.body)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(request.body.toString());
  } catch {
    return undefined; // SyntaxError is JSON.parse's way of saying that it is no JSON
  }
  return foldKeys(value);
}

/** Gives the values of an object by lower-cased key; undefined for what is no object. */
export function foldKeys(value: unknown): Body | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return new Map(Object.entries(value).map(([key, entry]) => [key.toLowerCase(), entry]));
}

/** A list of strings out of a body: [] if absent or null, undefined if it is something else. */
export function strings(body: Body, key: string): string[] | undefined {
  const value = body.get(key) ?? [];
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string') ? value : undefined;
}
