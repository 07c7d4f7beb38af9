/** A wall clock further ahead than this of where it should be has been set, or the machine has slept. */
const JUMP_MS = 60_000;
/** How long the time before the jump goes on for the age of mail, so that a wrong clock can be put right. */
const HOLD_MS = 600_000;

/**
 * The time by which mail grows old. It is the wall clock's; only when that jumps ahead, by a wrong answer of a time
 * server or a hand that mistyped a year, the old time goes on for a while: what expires cannot be brought back.
 * @param wall whole milliseconds since 1970, as it gives them too
 * @param steady milliseconds since whenever, never set
 */
export function createExpiryClock(
  wall: () => number = Date.now,
  steady: () => number = () => performance.now(),
): () => number {
  let last = wall();
  let lastSteady = steady();
  let heldSince: number | undefined;
  return () => {
    const [now, nowSteady] = [wall(), steady()];
    const expected = last + (nowSteady - lastSteady);
    lastSteady = nowSteady;
    if (now <= expected + JUMP_MS) {
      heldSince = undefined;
      last = now;
    } else {
      heldSince ??= nowSteady;
      last = nowSteady - heldSince < HOLD_MS ? expected : now;
    }
    return Math.floor(last);
  };
}
