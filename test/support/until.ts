import { setTimeout as delay } from 'node:timers/promises';

/** Waits until something that is under way has happened; how long that takes decides nothing, the test's own limit does. */
export async function until(happened: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await happened())) await delay(5);
}
