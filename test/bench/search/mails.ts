/*
 * Mails that differ, in words as frequent as those of a language, the same every time.
 */
const VOCABULARY = 50_000;

/** A generator of the same numbers every time, from 0 to below 1. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const SYLLABLES = 'ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu'.split(' ');

/** The word of a rank: short for common ones, as in languages. */
export function word(rank: number): string {
  let text = '';
  for (let left = rank + 20; left > 0; left = Math.floor(left / 20)) text += SYLLABLES[left % 20];
  return text;
}

/** A rank as Zipf found them: half of all words are among the first two hundred. */
export const rankOf = (random: () => number): number => Math.floor(VOCABULARY ** random()) - 1;

export const inboxName = (n: number): string => `user${n}@example.com`;

export interface BenchMail {
  readonly raw: string;
  readonly to: string;
  /** What parsing finds. */
  readonly text: string;
}

/** Makes mail after mail for so many inboxes. */
export function createMails(inboxes: number): (n: number) => BenchMail {
  const random = randomNumbers(42);
  const words = (count: number): string => Array.from({ length: count }, () => word(rankOf(random))).join(' ');
  return (n) => {
    const isHtml = n % 3 === 0;
    const to = inboxName(n % inboxes);
    const text = Array.from({ length: 12 }, () => words(12)).join('.\r\n');
    const lines = [
      `Received: from mx${n % 7}.example.org (mx${n % 7}.example.org [192.0.2.${n % 250}]) by mail.example.com with ESMTP`,
      `From: ${word(n % 997)} <${word(n % 997)}@sender${n % 31}.example>`,
      `To: ${to}`,
      `Subject: ${words(5)} ${n}`,
      `Message-ID: <${n}.${word(n % 7919)}@sender.example>`,
      `X-Campaign: ${word(n % 89)}`,
      `Content-Type: text/${isHtml ? 'html' : 'plain'}; charset=utf-8`,
      '',
      isHtml ? `<html><body><p>${text}</p></body></html>` : text,
    ];
    return { raw: lines.join('\r\n'), to, text: text.replaceAll('\r\n', ' ') };
  };
}
