import type { Agent } from 'inboxd';

/** Counts the words of a mail, and leaves those alone that have none. */
export const answer: Agent = async ({ subject, text, attachments }) => {
  const words = text.split(/\s+/).filter((word) => word !== '');
  if (words.length === 0) return undefined;
  return {
    subject: `Counted: ${subject.replace(/\p{C}/gu, ' ').slice(0, 100)}`,
    text: `${words.length} words, ${attachments.length} attachments\n`,
    attachments: [{ fileName: 'words.csv', content: [...new Set(words)].slice(0, 1000).join('\n').slice(0, 100_000) }],
  };
};
