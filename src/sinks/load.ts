import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Sink } from '../mail/sink.ts';

/** A third party's sink can't be used; the message names its file and what is missing. */
export class SinkError extends Error {
  override readonly name = 'SinkError';
  readonly code = 'SINK_UNUSABLE';
}

/**
 * Loads a third party's sink: a module that exports a function named `process`, or one as its default.
 * @param path file of the module, from the working directory
 * @throws SinkError
 */
export async function loadSink(path: string): Promise<Sink> {
  const file = resolve(path);
  const wrong = (what: string, cause?: unknown): SinkError => new SinkError(`sink ${file}: ${what}`, { cause });
  await stat(file).catch((error: unknown) => {
    throw wrong('there is no such file', error);
  });
  let module: Record<string, unknown>;
  try {
    module = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (error) {
    throw wrong(`cannot be loaded: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  const sink = module.process ?? module.default;
  if (typeof sink !== 'function') {
    const names = Object.keys(module).join(', ') || 'nothing';
    throw wrong(`must export a function named "process", or one as default; it exports ${names}`);
  }
  return sink as Sink;
}
