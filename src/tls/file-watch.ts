import { stat } from 'node:fs/promises';

/**
 * Notices that files have changed. It looks again and again instead of asking the system to be told: what stands at the
 * path counts, behind whatever symbolic links, so that it makes no difference whether a file was written anew, renamed
 * into place, or a link somewhere on the way was turned (certbot, Kubernetes), and whether a network lies between.
 */
export class FileWatch {
  readonly #paths: readonly string[];
  readonly #timer: NodeJS.Timeout;
  #seen: string | undefined;
  /** Different from what was seen, but perhaps not finished: taken when it has stood for a whole turn. */
  #fresh: string | undefined;
  #looking = false;

  /** @param changed is told once the files have come to rest */
  constructor(paths: readonly string[], everyMs: number, changed: () => void) {
    this.#paths = paths;
    this.#timer = setInterval(() => void this.#look(changed), everyMs);
    this.#timer.unref();
  }

  /** What is there now is known; before the first call nothing counts as changed. */
  async mark(): Promise<void> {
    this.#seen = await this.#state();
    this.#fresh = undefined;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(changed: () => void): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const state = await this.#state();
    this.#looking = false;
    if (this.#seen === undefined || state === this.#seen) {
      this.#fresh = undefined;
    } else if (state !== this.#fresh) {
      this.#fresh = state;
    } else {
      this.#seen = state;
      this.#fresh = undefined;
      changed();
    }
  }

  async #state(): Promise<string> {
    const states = this.#paths.map((path) =>
      stat(path, { bigint: true }).then(
        ({ dev, ino, size, mtimeNs, ctimeNs }) => [dev, ino, size, mtimeNs, ctimeNs].join(),
        (error: NodeJS.ErrnoException) => String(error.code),
      ),
    );
    return (await Promise.all(states)).join(' ');
  }
}
