import type { Reporter } from '../mail/report.ts';

/** What has come in since the start. */
export interface Counts {
  readonly smtpAccepted: number;
  readonly smtpAcceptedBytes: number;
  readonly smtpRejected: number;
  readonly smtpIgnored: number;
}

/** Counts the messages that were accepted and those that were refused once their content had come. */
export function createCounters(): { readonly report: Reporter; readonly counts: () => Counts } {
  let accepted = 0;
  let bytes = 0;
  let rejected = 0;
  return {
    report(report) {
      if (report.type !== 'message') return;
      if (report.code >= 400) rejected++;
      else {
        accepted++;
        bytes += report.message.content.bytes;
      }
    },
    counts: () => ({ smtpAccepted: accepted, smtpAcceptedBytes: bytes, smtpRejected: rejected, smtpIgnored: 0 }),
  };
}
