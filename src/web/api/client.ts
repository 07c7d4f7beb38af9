import type { Form, InboxPage, Info, ManyMarks, Marks, Message, MessagePage, Summary } from './types.ts';

/** The daemon said no, and why (RFC 9457). */
export class Refusal extends Error {
  readonly status: number;
  /** Column in the parameter that was wrong, 0-based. */
  readonly at: number | undefined;

  constructor(status: number, why: string, at?: number) {
    super(why);
    this.name = 'Refusal';
    this.status = status;
    this.at = at;
  }
}

/** The daemon did not answer at all. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super('the daemon does not answer', { cause });
    this.name = 'Unreachable';
  }
}

/** Address of something of the API; relative, so that a proxy may serve the page below a path. */
export function apiUrl(path: string, parameters: Readonly<Record<string, string | number | undefined>> = {}): string {
  const url = new URL(`api/${path}`, document.baseURI);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') url.searchParams.set(name, String(value));
  }
  return url.href;
}

/** Address below a message, each piece encoded. */
export function messageUrl(id: string, ...below: readonly string[]): string {
  return apiUrl(['messages', id, ...below].map(encodeURIComponent).join('/'));
}

async function send(url: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: 'same-origin', cache: 'no-store', ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Unreachable(error);
  }
  if (!response.ok) throw await refusalOf(response);
  return response;
}

async function refusalOf(response: Response): Promise<Refusal> {
  const text = await response.text().catch(() => '');
  try {
    const problem = JSON.parse(text) as { detail?: string; title?: string; at?: number };
    return new Refusal(response.status, problem.detail ?? problem.title ?? response.statusText, problem.at);
  } catch {
    return new Refusal(response.status, text || response.statusText); // not a problem document: a proxy in between
  }
}

async function get<T>(url: string, signal?: AbortSignal): Promise<T> {
  return (await send(url, signal ? { signal } : {})).json() as Promise<T>;
}

function write(url: string, method: string, body?: unknown, keepalive = false): Promise<Response> {
  const content =
    body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  return send(url, { method, keepalive, ...content });
}

export interface ListQuery {
  readonly inbox: string | undefined;
  readonly q: string;
  readonly limit: number;
  readonly cursor?: string;
  /** Rows to skip, behind the cursor if there is one. */
  readonly start?: number;
}

/** Which messages to change or delete. */
export type Selection = { readonly ids: readonly string[] } | { readonly query: string };

export const api = {
  info: (): Promise<Info> => get(apiUrl('info')),

  login: async (user: string, secret: string): Promise<void> => {
    const authorization = user === '' ? `Bearer ${secret}` : `Basic ${base64(`${user}:${secret}`)}`;
    await send(apiUrl('session'), { method: 'POST', headers: { authorization } });
  },

  inboxes: (query: string, cursor?: string): Promise<InboxPage> =>
    get(apiUrl('inboxes', { query, limit: 200, cursor })),

  messages: ({ inbox, q, limit, cursor, start }: ListQuery, signal?: AbortSignal): Promise<MessagePage> =>
    get(
      inbox === undefined
        ? apiUrl('search', { q, limit, cursor, start })
        : apiUrl(`inboxes/${encodeURIComponent(inbox)}/messages`, { q, limit, cursor, start }),
      signal,
    ),

  message: (id: string, signal?: AbortSignal): Promise<Message> => get(messageUrl(id), signal),

  mark: async (id: string, marks: Marks): Promise<Summary> =>
    (await write(messageUrl(id), 'PATCH', marks)).json() as Promise<Summary>,

  /** Changes many; gives the ids of those that are not what they were, unless they are too many to name. */
  change: async (selection: Selection, change: ManyMarks): Promise<{ changed: number; ids?: readonly string[] }> =>
    (await write(apiUrl('messages/change'), 'POST', { ...selection, ...change })).json() as Promise<{
      changed: number;
      ids?: readonly string[];
    }>,

  /** @param leaving the page is being closed: the request has to outlive it */
  remove: async (selection: Selection, leaving = false): Promise<void> => {
    await write(apiUrl('messages/delete'), 'POST', selection, leaving);
  },

  /** Start of the source, at most so many octets, and whether that was all. */
  source: async (
    id: string,
    form: Form,
    most: number,
    signal: AbortSignal,
  ): Promise<{ bytes: Uint8Array; whole: boolean }> => {
    const response = await send(`${messageUrl(id, 'raw')}?form=${form}`, { signal });
    const reader = response.body!.getReader();
    const chunks: Uint8Array[] = [];
    let length = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { bytes: join(chunks, length), whole: true };
      chunks.push(value);
      length += value.length;
      if (length > most) {
        await reader.cancel();
        return { bytes: join(chunks, length).subarray(0, most), whole: false };
      }
    }
  },

  part: async (id: string, part: string, signal: AbortSignal): Promise<Blob> =>
    (await send(messageUrl(id, 'parts', part), { signal })).blob(),
};

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
