import type { Path } from '../mail/address.ts';
import type { Naming } from '../mail/inbox.ts';
import type { Reporter } from '../mail/report.ts';
import { type AgentFile, agentFile, listAgents, stampOf } from './agent-files.ts';
import { NamedInboxes, readAgentName } from './agent-names.ts';
import type { AgentRunner } from './agent-runner.ts';
import { ResponderError } from './errors.ts';
import { RESPONDER_LIMITS } from './limits.ts';

export interface AgentTableOptions {
  readonly naming: Naming;
  /** Names of inboxes and the agents that answer them. */
  readonly agents: readonly (readonly [name: string, source: string])[];
  /** Answers what nobody else does; '' for nobody. */
  readonly fallback: string;
  /** Folder whose files are agents too; '' for none. */
  readonly folder: string;
  /** Inboxes that the default agent leaves alone. */
  readonly isReserved: (inbox: string) => boolean;
  readonly runner: AgentRunner;
  readonly report: Reporter;
}

/**
 * Who answers which inbox: what the configuration names, then the files of a folder, then the default. Files may come, go
 * and change at any time; a mail is answered by what is there when its turn comes, and changes are told in the log.
 */
export class AgentTable {
  readonly #options: AgentTableOptions;
  readonly #configured: readonly (readonly [name: string, file: AgentFile])[];
  readonly #fallback: AgentFile | undefined;
  #dropped: readonly (readonly [name: string, file: AgentFile])[] = [];
  #named: NamedInboxes<AgentFile>;
  /** Versions that were looked at, by source; a version that is new is looked at when it has come to rest. */
  readonly #seen = new Map<string, string>();
  readonly #fresh = new Map<string, string>();
  #folderTrouble = '';
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  /** @throws ResponderError for a name that no inbox can have */
  constructor(options: AgentTableOptions) {
    this.#options = options;
    this.#configured = options.agents.map(([name, source]) => [name, agentFile(source)]);
    this.#fallback = options.fallback === '' ? undefined : agentFile(options.fallback);
    for (const [name] of this.#configured) {
      const read = readAgentName(name, options.naming);
      if (!read.ok) throw new ResponderError(`responder ${name}: ${read.why}`);
    }
    this.#named = this.#name();
  }

  /** Who answers an inbox. */
  find(inbox: string): AgentFile | undefined {
    const named = this.#named.find(inbox);
    if (named || !this.#fallback || this.#options.isReserved(inbox)) return named;
    return this.#fallback;
  }

  /** True for an address that has an agent of its own. */
  hasOwn(address: Path): boolean {
    return this.#named.findAddress(address) !== undefined;
  }

  /**
   * Lists the folder and loads everybody once.
   * @throws ResponderError for what the configuration names and cannot be used; what only lies in the folder is reported
   */
  async start(): Promise<void> {
    const { runner, folder } = this.#options;
    if (folder !== '') {
      try {
        await this.#list();
      } catch (error) {
        const { message } = error as Error;
        throw new ResponderError(`responder-dir ${folder}: ${message}`, { cause: error });
      }
    }
    const named = [...this.#configured.map(([, file]) => file), ...(this.#fallback ? [this.#fallback] : [])];
    await Promise.all(
      named.map(async (file) => {
        if (file.path === '') return; // it comes with us
        const outcome = await runner.check(file);
        if (outcome.kind === 'unloadable') throw new ResponderError(`agent ${file.source}: ${outcome.why}`);
        if ('error' in outcome) throw new ResponderError(`agent ${file.source}: ${outcome.error.message}`);
        this.#seen.set(file.source, await versionOf(file));
      }),
    );
    for (const [name, file] of this.#dropped) await this.#look(name, file, true);
    this.#timer = setInterval(() => void this.#watch(), RESPONDER_LIMITS.watchMs).unref();
  }

  /** Takes up what has come to the folder, or is gone. */
  async refresh(): Promise<void> {
    if (this.#options.folder === '') return;
    try {
      await this.#list();
      this.#folderTrouble = '';
    } catch (error) {
      const { message } = error as Error;
      if (message === this.#folderTrouble) return;
      this.#folderTrouble = message;
      this.#tell({ event: 'unusable', source: this.#options.folder, why: message });
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #list(): Promise<void> {
    const dropped = await listAgents(this.#options.folder);
    const before = this.#dropped;
    const isSame = dropped.length === before.length && dropped.every(([name], at) => name === before[at]![0]);
    if (isSame && dropped.every(([, { path }], at) => path === before[at]![1].path)) return;
    this.#dropped = dropped;
    this.#named = this.#name();
  }

  #name(): NamedInboxes<AgentFile> {
    const { naming } = this.#options;
    const named = new NamedInboxes<AgentFile>(naming);
    for (const [name, file] of [...this.#configured, ...this.#dropped]) {
      const read = readAgentName(name, naming);
      if (read.ok) named.add(read, file);
    }
    return named;
  }

  /** One look at a time; the next may be late. */
  #watch(): void {
    this.#looking ??= this.#lookAtAll().finally(() => {
      this.#looking = undefined;
    });
  }

  async #lookAtAll(): Promise<void> {
    await this.refresh();
    const files = new Map([...this.#configured, ...this.#dropped].map(([name, file]) => [file.source, { name, file }]));
    if (this.#fallback) files.set(this.#fallback.source, { name: '', file: this.#fallback });
    for (const source of this.#seen.keys()) {
      if (files.has(source)) continue;
      this.#seen.delete(source);
      this.#tell({ event: 'gone', source, why: '' });
    }
    for (const { name, file } of files.values()) await this.#look(name, file, false);
  }

  /** Tells of an agent that is new or has changed, once its file has stood for a whole turn. */
  async #look(name: string, file: AgentFile, atOnce: boolean): Promise<void> {
    const { runner, naming } = this.#options;
    const { source, path } = file;
    if (path === '') return;
    const version = await versionOf(file);
    if (version === this.#seen.get(source)) return;
    if (!atOnce && this.#fresh.get(source) !== version) {
      this.#fresh.set(source, version);
      return;
    }
    this.#fresh.delete(source);
    this.#seen.set(source, version);
    const read = name === '' ? undefined : readAgentName(name, naming);
    if (read?.ok === false) return this.#tell({ event: 'unusable', source, why: read.why });
    const outcome = await runner.check(file).catch(() => undefined); // the daemon stops
    if (outcome?.kind === 'loaded') this.#tell({ event: 'loaded', source, why: '' });
    else if (outcome?.kind === 'unloadable') this.#tell({ event: 'unusable', source, why: outcome.why });
    else if (outcome && 'error' in outcome) this.#tell({ event: 'unusable', source, why: outcome.error.message });
  }

  #tell(facts: { event: 'loaded' | 'unusable' | 'gone'; source: string; why: string }): void {
    this.#options.report({ type: 'agent', ...facts });
  }
}

/** The version of a file, or why it has none. */
async function versionOf(file: AgentFile): Promise<string> {
  return stampOf(file).catch((error: NodeJS.ErrnoException) => String(error.code));
}
