/** Limits of finding out who sent a message; units are in the names. */
export interface VerifyLimits {
  /** Header block, and its lines; a mail whose header is larger is not looked at. */
  readonly headerBytes: number;
  readonly headerLines: number;
  /** DKIM signatures that are looked at, from the top, and octets of one field that signs. */
  readonly signatures: number;
  readonly signatureBytes: number;
  /** Questions to DNS about one message, and how long it may take to answer them all. */
  readonly questions: number;
  readonly dnsMs: number;
  /** What one message may take in all before the thread is stopped; it is tried once more, alone. */
  readonly messageMs: number;
  /** Messages that are looked at at a time: most of the time they wait for DNS. */
  readonly messages: number;
  /** Messages that may wait for their turn. */
  readonly waiting: number;
  /** Memory of the thread's JavaScript. */
  readonly heapMebibytes: number;
  /** Until a thread with nothing to do is stopped. */
  readonly idleMs: number;
  /** Characters of one reason. */
  readonly reasonCharacters: number;
}

export const VERIFY_LIMITS: VerifyLimits = Object.freeze({
  headerBytes: 256 * 1024,
  headerLines: 5_000,
  signatures: 20,
  signatureBytes: 16 * 1024,
  questions: 150,
  dnsMs: 10_000,
  messageMs: 25_000,
  messages: 16,
  waiting: 500,
  heapMebibytes: 256,
  idleMs: 60_000,
  reasonCharacters: 250,
});
