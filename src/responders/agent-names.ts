import { type Path, parseAddress } from '../mail/address.ts';
import { inboxNameFromText, inboxOf, type Naming } from '../mail/inbox.ts';

/**
 * Which inboxes a name in the configuration, or of a file, means:
 *
 * | naming   | `time`                          | `time@example.org`   |
 * |----------|---------------------------------|----------------------|
 * | `full`   | `time` at every domain          | that inbox alone     |
 * | `local`  | the inbox `time`                | none: refused        |
 * | `domain` | the inbox of the domain `time`  | none: refused        |
 *
 * Case and the spelling of a domain count as little as they do in addresses. The nearer name wins: that of an inbox, then
 * that of a local part, then the default.
 */
export type AgentName =
  | { readonly ok: true; readonly kind: 'inbox' | 'local'; readonly name: string }
  | { readonly ok: false; readonly why: string };

/** Reads a name. */
export function readAgentName(text: string, naming: Naming): AgentName {
  const bad = (why: string): AgentName => ({ ok: false, why });
  if (text.lastIndexOf('+') > 0) return bad('what follows + is no part of the name of an inbox');
  if (!text.includes('@')) {
    const name = inboxNameFromText(text, naming === 'domain' ? 'domain' : 'local');
    if (name === undefined) return bad('no inbox can have that name');
    return { ok: true, kind: naming === 'full' ? 'local' : 'inbox', name };
  }
  if (naming !== 'full') return bad(`with naming ${naming} no inbox has an @ in its name`);
  const path = parseAddress(text);
  return path ? { ok: true, kind: 'inbox', name: inboxOf(path).inbox } : bad('no inbox can have that name');
}

/** Things by the names of inboxes. */
export class NamedInboxes<T> {
  readonly #inboxes = new Map<string, T>();
  readonly #locals = new Map<string, T>();
  readonly #naming: Naming;

  constructor(naming: Naming) {
    this.#naming = naming;
  }

  /** Gives what had the name before, which keeps it. */
  add({ kind, name }: AgentName & { ok: true }, value: T): T | undefined {
    const names = kind === 'inbox' ? this.#inboxes : this.#locals;
    const before = names.get(name);
    if (before === undefined) names.set(name, value);
    return before;
  }

  find(inbox: string): T | undefined {
    const exact = this.#inboxes.get(inbox);
    if (exact !== undefined || this.#locals.size === 0) return exact;
    const at = inbox.lastIndexOf('@');
    return this.#locals.get(at < 0 ? inbox : inbox.slice(0, at));
  }

  findAddress(address: Path): T | undefined {
    return this.find(inboxOf(address, this.#naming).inbox);
  }
}
