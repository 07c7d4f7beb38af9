/**
 * One attacker in a process of its own: `attacker.ts KIND PORT CLIENTS SECONDS NETWORK`. It works on loopback only, for so
 * many seconds and never longer, and prints what it met as JSON.
 *
 * hold: connects and says nothing, again some seconds after it was turned away or cut.
 * drip: says EHLO an octet a second; every other client gets as far as DATA and drips content.
 * junk: sends equal mails as fast as it is let.
 */
import { connect, type Socket } from 'node:net';

const [kind = '', port = '', clients = '', seconds = '', network = ''] = process.argv.slice(2);
const MOST_SECONDS = 600;
const ADDRESSES = 25;
const endsAt = performance.now() + Math.min(Number(seconds), MOST_SECONDS) * 1000;
const met = { connections: 0, greeted: 0, refused: 0, cut: 0, errors: 0, accepted: 0 };
const sockets = new Set<Socket>();
const JUNK = `Subject: You have won\r\n\r\n${'Click here. '.repeat(80)}\r\n.\r\n`;

function open(number: number): void {
  if (performance.now() >= endsAt) return;
  const localAddress = `127.${network}.0.${1 + (number % ADDRESSES)}`;
  const socket = connect({ host: '127.0.0.1', port: Number(port), localAddress });
  sockets.add(socket);
  met.connections++;
  let isGreeted = false;
  let drip: NodeJS.Timeout | undefined;
  socket.setNoDelay(true);
  socket.on('data', (bytes: Buffer) => {
    const text = bytes.toString('latin1');
    if (!isGreeted) {
      isGreeted = text.startsWith('220');
      if (isGreeted) met.greeted++;
      else met.refused++;
      if (isGreeted && kind === 'drip') drip = dripOn(socket, number % 2 === 1);
      if (isGreeted && kind === 'junk') socket.write('EHLO junk.test\r\n');
      return;
    }
    if (kind === 'junk') sendJunk(socket, text);
  });
  socket.on('error', () => met.errors++);
  socket.on('close', () => {
    sockets.delete(socket);
    clearInterval(drip);
    if (isGreeted && performance.now() < endsAt) met.cut++;
    // hold and drip come back like machines that retry; junk does not wait
    setTimeout(open, kind === 'junk' ? 50 : 4000 + Math.random() * 4000, number).unref();
  });
}

function dripOn(socket: Socket, inContent: boolean): NodeJS.Timeout {
  if (inContent) socket.write('EHLO drip.test\r\nMAIL FROM:<d@drip.test>\r\nRCPT TO:<d@drip.test>\r\nDATA\r\n');
  const text = inContent ? 'Subject: slow\r\n' : 'EHLO drip.test';
  let at = 0;
  return setInterval(() => socket.write(text[at++ % text.length]!), 1000);
}

function sendJunk(socket: Socket, text: string): void {
  for (const line of text.split('\r\n')) {
    if (line.startsWith('354')) socket.write(JUNK);
    else if (line.startsWith('250 2.0.0 OK queued')) met.accepted++;
    // its mail was taken, EHLO was answered (no enhanced code), or something was refused
    if (/^(?:250 2\.0\.0 OK queued|250 [A-Z]|4|5)/.test(line)) {
      if (/^[45]/.test(line)) met.refused++;
      socket.write('RSET\r\nMAIL FROM:<win@junk.test>\r\nRCPT TO:<you@victim.test>\r\nDATA\r\n');
    }
  }
}

for (let number = 0; number < Number(clients); number++) setTimeout(open, (number / Number(clients)) * 1000, number);
setTimeout(
  () => {
    for (const socket of sockets) socket.destroy();
    process.stdout.write(`${JSON.stringify(met)}\n`, () => process.exit(0));
  },
  Math.max(0, endsAt - performance.now()),
);
