import type { Message, TlsFacts } from './message.ts';

/** What happened, told to whoever listens; a report decides nothing. */
export type Report =
  | { readonly type: 'listening'; readonly protocol: string; readonly url: string }
  | { readonly type: 'session-start'; readonly protocol: string; readonly session: string; readonly address: string }
  | {
      readonly type: 'session-end';
      readonly protocol: string;
      readonly session: string;
      readonly address: string;
      readonly hello: string;
      /** The session ended encrypted. */
      readonly tls?: TlsFacts;
      readonly messages: number;
      readonly commands: number;
      readonly failures: number;
      readonly bytesIn: number;
      readonly bytesOut: number;
      readonly milliseconds: number;
      /** Why it ended: `quit`, `closed` by the client, `timeout`, `shutdown`, `failures`, `unread` replies, `refused`, `error`. */
      readonly reason: string;
    }
  | {
      /** A message was disposed of, or refused after its content had come. */
      readonly type: 'message';
      readonly protocol: string;
      readonly session: string;
      readonly message: Message;
      readonly code: number;
      readonly text: string;
      /** From the final dot to the verdict. */
      readonly milliseconds: number;
    }
  | {
      /** Something of ours threw: a handler, a sink, a filter. The client was told 451. */
      readonly type: 'crash';
      readonly where: string;
      readonly session?: string;
      readonly state?: string;
      readonly error: unknown;
    }
  /** The store took in messages (after the commit); the source of live events. */
  | { readonly type: 'stored'; readonly ids: readonly string[] }
  | { readonly type: 'deleted'; readonly ids: readonly string[]; readonly why: 'asked' | 'retention' };

export type Reporter = (report: Report) => void;
