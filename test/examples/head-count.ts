import type { Sink } from 'inboxd';

/** Reads the content as a stream and counts its lines without ever holding the message. */
const headCount: Sink = async (message, signal) => {
  let lines = 0;
  for await (const view of message.content.stream()) {
    signal.throwIfAborted();
    for (let at = view.indexOf('\n'); at !== -1; at = view.indexOf('\n', at + 1)) lines++;
  }
  return { code: 250, enhanced: '2.0.0', text: `${lines} lines, thank you` };
};

export { headCount as process };
