import type { Agent } from '../agent.ts';

const SHOWN_CHARACTERS = 100_000;

/** Sends back what it was sent: the text, or the names of what came if there was no text. */
export const answer: Agent = ({ text, sender, address, receivedAt, attachments }) => {
  const head = `On ${receivedAt.toISOString()} <${sender}> wrote to <${address}>:`;
  const quoted = text.slice(0, SHOWN_CHARACTERS).trimEnd().split('\n').map(quote);
  const names = attachments.map(({ fileName, contentType, content }) => {
    return `[${fileName || 'no name'}, ${contentType}, ${content.length} bytes]`;
  });
  return { text: [head, '', ...quoted, ...names, ''].join('\n') };
};

function quote(line: string): string {
  return line === '' || line.startsWith('>') ? `>${line}` : `> ${line}`;
}
