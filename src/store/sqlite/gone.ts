/*
 * A message that is removed is gone at once for whoever reads, but its words in the index and its places in inboxes are taken
 * out some time later, many together (table `gone`): they lie wherever others of the inbox and the word do, and a full store,
 * which removes one message for each that comes, would write a page for each of them. Whoever finds messages by their places
 * alone leaves out those.
 */

/** Holds for the seq of a placement or of words whose message is there. */
export function isThere(seq: string): string {
  return `${seq} NOT IN (SELECT seq FROM gone)`;
}

/** Holds, of places in order, for none of the many that a store leaves behind which removes the oldest. */
export function isOfOurTime(seq: string): string {
  return `${seq} >= (SELECT min(seq) FROM messages)`;
}
