import type { CertificateEvent, Reporter } from '../mail/report.ts';
import { ListenerContexts } from './context.ts';
import { FileWatch } from './file-watch.ts';
import { fingerprintOf, type Identity, type IdentityFiles, readIdentity } from './identity.ts';
import { ownIdentity } from './own-identity.ts';

export interface CertificateOptions {
  /** The first is for clients that ask for no name we know. When empty, one is made. */
  readonly files: readonly IdentityFiles[];
  /** Our own name, for a certificate of our own. */
  readonly hostname: string;
  /** Folder that keeps a certificate of our own; undefined to keep nothing. */
  readonly directory: string | undefined;
  readonly report: Reporter;
  readonly watchMs?: number;
}

/** How often files are looked at. */
const WATCH_MS = 5_000;
const DAY_MS = 86_400_000;
/** Time before the end of a certificate from which on the log warns of it, once a day. */
const WARNING_MS = 21 * DAY_MS;

/**
 * The certificates of a daemon, kept fresh: files are read again when they change and when somebody says so, one of our
 * own is made anew before its end. Certificates that cannot be used never replace those that can.
 */
export class Certificates {
  readonly #options: CertificateOptions;
  readonly #listeners: ListenerContexts[] = [];
  readonly #servers: (() => void)[] = [];
  readonly #daily: NodeJS.Timeout;
  readonly #watch: FileWatch | undefined;
  #identities: readonly Identity[] = [];
  #reloading: Promise<void> | undefined;

  private constructor(options: CertificateOptions) {
    this.#options = options;
    const { files, watchMs = WATCH_MS } = options;
    const paths = [...new Set(files.flatMap(({ cert, key }) => [cert, key]))];
    if (paths.length > 0) this.#watch = new FileWatch(paths, watchMs, () => void this.reload());
    this.#daily = setInterval(() => void this.#lookAfter(), DAY_MS);
    this.#daily.unref();
  }

  /**
   * Reads or makes the certificates.
   * @throws TlsError that says what is wrong with a file
   */
  static async open(options: CertificateOptions): Promise<Certificates> {
    const certificates = new Certificates(options);
    try {
      await certificates.#load();
    } catch (error) {
      certificates.stop();
      throw error;
    }
    return certificates;
  }

  /** Those in use, the default one first. */
  get identities(): readonly Identity[] {
    return this.#identities;
  }

  /** Nobody but ourselves vouches for them. */
  get areOwn(): boolean {
    return this.#options.files.length === 0;
  }

  /**
   * The contexts of one more listener; they follow every change.
   * @param changed is told of each, for servers that keep contexts of their own
   */
  forListener(changed?: (contexts: ListenerContexts) => void): ListenerContexts {
    const contexts = new ListenerContexts(this.#identities);
    this.#listeners.push(contexts);
    if (changed) this.#servers.push(() => changed(contexts));
    return contexts;
  }

  /** Tells of each change, once listeners use the new certificates. */
  onChange(changed: () => void): void {
    this.#servers.push(changed);
  }

  /** Reads the files again. What cannot be used is reported, and the certificates in use stay. Never rejects. */
  reload(): Promise<void> {
    this.#reloading ??= this.#reload().finally(() => {
      this.#reloading = undefined;
    });
    return this.#reloading;
  }

  stop(): void {
    clearInterval(this.#daily);
    this.#watch?.stop();
  }

  async #reload(): Promise<void> {
    try {
      await this.#load();
    } catch (error) {
      this.#options.report({ type: 'certificate-refused', error });
    }
  }

  async #load(): Promise<void> {
    const { report } = this.#options;
    await this.#watch?.mark(); // before they are read: what changes meanwhile is read again
    const { identities, event } = await read(this.#options);
    new ListenerContexts(identities); // throws what OpenSSL does not take, while nothing has changed yet
    if (identities.map(fingerprintOf).join() === this.#identities.map(fingerprintOf).join()) return;
    this.#identities = identities;
    for (const contexts of this.#listeners) contexts.use(identities);
    for (const changed of this.#servers) changed();
    for (const identity of identities) report(eventOf(event, identity));
    this.#warn();
  }

  /** Once a day. */
  async #lookAfter(): Promise<void> {
    if (this.areOwn) await this.reload();
    else this.#warn();
  }

  #warn(now: number = Date.now()): void {
    for (const identity of this.#identities) {
      const left = identity.expires.getTime() - now;
      if (left < 0) this.#options.report(eventOf('expired', identity));
      else if (left < WARNING_MS) this.#options.report(eventOf('expiring', identity));
    }
  }
}

async function read(options: CertificateOptions): Promise<{ identities: Identity[]; event: CertificateEvent }> {
  const { files, hostname, directory, report } = options;
  if (files.length > 0) return { identities: await Promise.all(files.map(readIdentity)), event: 'loaded' };
  const { identity, isNew, unkept } = await ownIdentity(hostname, directory);
  if (unkept !== undefined) report({ type: 'certificate-unkept', error: unkept });
  return { identities: [identity], event: isNew ? 'made' : 'loaded' };
}

function eventOf(event: CertificateEvent, identity: Identity) {
  const { names, expires, file } = identity;
  return { type: 'certificate', event, names, fingerprint: fingerprintOf(identity), expires, file } as const;
}
