import type { Agent } from '../agent.ts';

/** Says what time it is here. */
export const answer: Agent = () => {
  const now = new Date();
  return { subject: 'The time', text: `${now.toISOString()}\n${now.toString()}\n` };
};
