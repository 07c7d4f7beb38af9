import type { Sink } from '../mail/sink.ts';

/** Accepts everything and keeps nothing. */
export const discard: Sink = () => undefined;
