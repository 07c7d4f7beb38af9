import type { Config } from './config.ts';
import { createCaller } from './eurechat/caller.ts';
import { Directory } from './eurechat/directory.ts';
import { DIRECTORY_LIMITS } from './eurechat/limits.ts';
import type { Reporter } from './mail/report.ts';
import type { Store } from './mail/store.ts';

/** Makes the directory that all listeners of eurechat share; it does nothing until somebody is bound. */
export function createDirectory({ naming }: Config, { feed }: Store, report: Reporter): Directory {
  const limits = DIRECTORY_LIMITS;
  return new Directory({ caller: createCaller(limits), limits, feed, naming, report });
}
