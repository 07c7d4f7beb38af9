/** Loaded into a daemon before its own code (`--import`): on SIGUSR2 the thread that writes the store dies. */
import { syncBuiltinESMExports } from 'node:module';
import threads, { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  const { Worker } = threads;
  threads.Worker = class extends Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      if (args[1]?.name === 'store writer') process.once('SIGUSR2', () => void this.terminate());
    }
  };
  syncBuiltinESMExports();
}
