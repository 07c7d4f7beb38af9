import { answerJobs } from '../mail/killable-thread.ts';
import type { Agent, AgentMail } from './agent.ts';
import { type CheckedAnswer, checkAnswer } from './answer.ts';

/** What is known of a mail beside its content. */
export type MailFacts = Pick<AgentMail, 'id' | 'inbox' | 'address' | 'tag' | 'sender' | 'envelope' | 'receivedAt'>;

export interface AgentJob {
  /** URL of the module. */
  readonly module: string;
  /** Undefined to load the module only. */
  readonly mail: { readonly facts: MailFacts; readonly raw: Uint8Array } | undefined;
}

/** What came of a job; `error` is for the log. */
export type AgentResult =
  | { readonly kind: 'loaded' }
  | { readonly kind: 'unloadable'; readonly why: string }
  | { readonly kind: 'answer'; readonly answer: CheckedAnswer | undefined }
  /** What it gave is no answer. */
  | { readonly kind: 'unfit'; readonly why: string }
  | { readonly kind: 'threw'; readonly error: Error };

let loaded: { readonly module: string; readonly agent: Agent } | undefined;

answerJobs<AgentJob, AgentResult>(async ({ module, mail }, retire) => {
  const found = loaded?.module === module ? loaded.agent : await load(module);
  if (typeof found === 'string') {
    retire(); // Node.js remembers a module that failed
    return { kind: 'unloadable', why: found };
  }
  loaded = { module, agent: found };
  if (!mail) return { kind: 'loaded' };
  const opened = await open(mail.facts, mail.raw);
  let given: unknown;
  try {
    given = await found(opened);
  } catch (error) {
    return { kind: 'threw', error: carried(error) };
  }
  const checked = checkAnswer(given);
  return checked.ok ? { kind: 'answer', answer: checked.answer } : { kind: 'unfit', why: checked.why };
});

async function load(module: string): Promise<Agent | string> {
  let names: Record<string, unknown>;
  try {
    names = (await import(module)) as Record<string, unknown>;
  } catch (error) {
    return `cannot be loaded: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`;
  }
  const agent = names.answer ?? names.default;
  if (typeof agent === 'function') return agent as Agent;
  const exported = Object.keys(names).join(', ') || 'nothing';
  return `must export a function named "answer", or one as default; it exports ${exported}`;
}

async function open(facts: MailFacts, raw: Uint8Array): Promise<AgentMail> {
  // whoever only loads the module, as every start does, needs no parser
  const { parseMessage } = await import('../mail/mime.ts');
  const parsed = await parseMessage(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength));
  const { from, to, cc, replyTo, subject, text, html, headers, messageId, date, parts } = parsed;
  const attachments = parts.map(({ fileName, contentType, contentId, place, content }) => {
    return { fileName, contentType, contentId, isInline: place === 'inline', content };
  });
  return { ...facts, from, to, cc, replyTo, subject, text, html, headers, messageId, date, attachments };
}

/** Errors of modules may hold what cannot cross to another thread. */
function carried(error: unknown): Error {
  const plain = new Error(error instanceof Error ? error.message : String(error));
  if (error instanceof Error) {
    plain.name = String(error.name);
    if (error.stack !== undefined) plain.stack = error.stack;
  }
  return plain;
}
