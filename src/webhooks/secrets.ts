import { readFileSync } from 'node:fs';
import { WebhookError } from './errors.ts';
import { WEBHOOK_LIMITS } from './limits.ts';
import { parseSecret } from './signature.ts';

/** Secrets of a file: one in a line, the newest first; two while receivers change from one to the other. */
export class SecretFile {
  readonly #path: string;
  #secrets: readonly Buffer[];

  /** @throws WebhookError if the file cannot be read or holds no secret */
  constructor(path: string) {
    this.#path = path;
    this.#secrets = readSecrets(path);
  }

  get secrets(): readonly Buffer[] {
    return this.#secrets;
  }

  /**
   * Reads the file again.
   * @throws WebhookError if it cannot be used; the old secrets stay
   */
  reload(): void {
    this.#secrets = readSecrets(this.#path);
  }
}

function readSecrets(path: string): Buffer[] {
  const text = readText(path);
  if (text.length > WEBHOOK_LIMITS.secretFileBytes) throw new WebhookError(`${path} is too long for a file of secrets`);
  const secrets: Buffer[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const secret = line.trim();
    if (secret === '' || secret.startsWith('#')) continue;
    const read = parseSecret(secret);
    if (!read.ok) throw new WebhookError(`line ${index + 1} of ${path} is no secret: ${read.why}`);
    secrets.push(read.value);
  }
  if (secrets.length === 0) throw new WebhookError(`${path} holds no secret, such as whsec_ and 32 octets in base64`);
  return secrets;
}

/** @throws WebhookError that names the path and the reason */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new WebhookError(`cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}
