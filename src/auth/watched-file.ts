import { open, stat } from 'node:fs/promises';
import type { AuthLimits } from './limits.ts';

export interface WatchedFileOptions {
  readonly file: string;
  readonly limits: Pick<AuthLimits, 'fileBytes' | 'fileCheckMs'>;
  readonly now: () => number;
  /** Takes the text of the file in; throws if it makes no sense. */
  readonly take: (text: string) => void;
  /** Is told once when a change cannot be taken in; what was taken in last goes on to hold. */
  readonly onTrouble: (error: unknown) => void;
}

/** A file whose text is taken in again, soon after it has changed and somebody asks. */
export class WatchedFile {
  readonly #options: WatchedFileOptions;
  #stamp = '';
  #checkedAt = Number.NEGATIVE_INFINITY;
  #isBroken = false;

  constructor(options: WatchedFileOptions) {
    this.#options = options;
  }

  /**
   * Reads the file.
   * @throws the system's error, an Error for a file that is too large, or what `take` throws
   */
  async load(): Promise<void> {
    const { file: path, limits, take } = this.#options;
    this.#stamp = await stampOf(path);
    await using file = await open(path);
    const { size } = await file.stat();
    if (size > limits.fileBytes) throw new Error(`it is larger than ${limits.fileBytes} bytes`);
    take(await file.readFile('utf8'));
  }

  /** Reads the file again if it has changed since. */
  async refresh(): Promise<void> {
    const { file, limits, now, onTrouble } = this.#options;
    if (now() - this.#checkedAt < limits.fileCheckMs) return;
    this.#checkedAt = now();
    try {
      if ((await stampOf(file)) === this.#stamp) return;
      await this.load();
      this.#isBroken = false;
    } catch (error) {
      if (!this.#isBroken) onTrouble(error);
      this.#isBroken = true;
    }
  }
}

async function stampOf(file: string): Promise<string> {
  const { ino, size, mtimeMs, ctimeMs } = await stat(file);
  return [ino, size, mtimeMs, ctimeMs].join(' ');
}
