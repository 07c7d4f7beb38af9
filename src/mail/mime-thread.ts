import { parentPort } from 'node:worker_threads';
import { parseMessage } from './mime.ts';

/** Entry of the thread that takes mails apart: bytes come in, a ParsedMail goes out, one at a time. */
const port = parentPort;
if (port === null) throw new Error('mime-thread.ts runs only as a worker thread');
port.on('message', (raw: Uint8Array) => {
  void parseMessage(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)).then((parsed) => port.postMessage(parsed));
});
