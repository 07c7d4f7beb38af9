import { createServer, type Server, type Socket } from 'node:net';
import { tryFilters } from '../../../src/cli/filter-trial.ts';
import { contentOf, createMemorySpool } from '../../../src/mail/content.ts';
import { NO_PARAMS } from '../../../src/mail/envelope.ts';
import type { Message } from '../../../src/mail/message.ts';
import type { Report } from '../../../src/mail/report.ts';
import { parseReply } from '../../../src/milter/answers.ts';
import type { FieldType } from '../../../src/milter/fields.ts';
import { prepareMilters } from '../../../src/milter/filter.ts';
import { MILTER_DEFAULTS, MILTER_LIMITS } from '../../../src/milter/limits.ts';
import { PacketReader } from '../../../src/milter/packet-reader.ts';
import {
  decodeFromMilter,
  decoderOf,
  encodePacket,
  FROM_MILTER,
  type FromMilter,
  TO_MILTER,
} from '../../../src/milter/packets.ts';
import { oneLine, soundReply } from '../../../src/smtp/verdict.ts';
import { pick } from '../../support/random.ts';
import { mutate, noise, small, text } from '../generate.ts';
import { Finding, sound, type Target } from '../target.ts';

const HIDDEN = /[\u0000-\u001f\u007f-\u009f]/;
const KINDS = Object.keys(FROM_MILTER) as FromMilter['kind'][];

/** Text as a milter can send it: octets, no NUL. */
function octets(random: () => number): string {
  return Buffer.from(text(random, 4)).toString('latin1').replaceAll('\0', '');
}

const REPLIES = [
  '550 5.7.1 no',
  '450-a\r\n450 b',
  '421 bye',
  '550 100%% no',
  '250 yes',
  '550-x',
  '4',
  '599 5.999.999 x',
];
const ADDRESSES = ['<a@b.test>', 'c@d.test', '<>', '<x>', '<b@b.test>\r\n', '<"a b"@b.test>'];

/** What a field of a packet may hold, rather often what one would. */
const VALUES: Readonly<Record<FieldType, (random: () => number) => unknown>> = {
  char: () => 'C',
  u16: (random) => Math.floor(random() * 65_536),
  u32: (random) => pick(random, [0, 1, 2, 3, 6, 0x1ff, 0x1f_ffff, Math.floor(random() * 2 ** 32)]),
  str: (random) => (random() < 0.3 ? pick(random, [...REPLIES, ...ADDRESSES, 'Subject', 'X-A']) : octets(random)),
  strs: (random) => [octets(random)],
  strpairs: (random) => [[octets(random), octets(random)]],
  buf: (random) => noise(random, 2000),
  'str?': (random) => (random() < 0.5 ? undefined : octets(random)),
  'peer?': (random) => (random() < 0.5 ? undefined : { port: 1, address: octets(random) }),
  macroLists: (random) =>
    random() < 0.7 ? [] : [{ stage: small(random, 9), names: pick(random, ['i {mail_addr}', '', octets(random)]) }],
};

function packet(random: () => number, kind: FromMilter['kind']): FromMilter {
  const fields: Readonly<Record<string, FieldType>> = FROM_MILTER[kind].fields;
  const values = Object.entries(fields).map(([name, type]) => [name, VALUES[type](random)]);
  return { kind, ...Object.fromEntries(values) } as FromMilter;
}

/** Reads a stream that comes in pieces of some size; undefined where it is malformed. */
function readAll(stream: Buffer, size: number): { packets: FromMilter[]; fault: string | undefined } {
  const reader = new PacketReader(decodeFromMilter, MILTER_LIMITS.packetBytes);
  const packets: FromMilter[] = [];
  for (let at = 0; at < stream.length; at += size) {
    reader.push(stream.subarray(at, at + size));
    for (let read = reader.next(); read.kind !== 'more'; read = reader.next()) {
      if (read.kind === 'malformed') return { packets, fault: read.why };
      packets.push(read.packet);
    }
  }
  return { packets, fault: undefined };
}

/** Packets of milters, whole, mutated and as they arrive; and replies in words of their own. */
export const milterPackets: Target = {
  name: 'milter-packets',
  share: 20,
  deadlineMs: 250,
  run(random) {
    const sent = Array.from({ length: 1 + small(random, 6) }, () => packet(random, pick(random, KINDS)));
    const whole = Buffer.concat(sent.map((one) => encodePacket(FROM_MILTER, one)));
    const input = random() < 0.5 ? whole : mutate(random, whole, [whole]);
    const shown = input.toString('latin1');
    sound(shown, () => {
      const once = readAll(input, input.length || 1);
      const trickled = readAll(input, 1 + small(random, 40));
      if (JSON.stringify(once) !== JSON.stringify(trickled)) throw new Finding('reads otherwise in pieces', shown);
      const written = Buffer.concat(once.packets.map((one) => encodePacket(FROM_MILTER, one)));
      if (!input.subarray(0, written.length).equals(written)) throw new Finding('is not written as it was read', shown);
      if (input === whole && once.packets.length !== sent.length) throw new Finding('lost a packet', shown);
      for (const one of once.packets) {
        if (one.kind !== 'reply') continue;
        const read = parseReply(one.text);
        const said = read.ok ? soundReply(read.verdict) : undefined;
        if (read.ok && (!said || said.code < 400)) throw new Finding('takes a reply that cannot be said', one.text);
      }
    });
  },
};

const decodeToMilter = decoderOf(TO_MILTER);
const MAIL = Buffer.from('From: a@b.test\r\nSubject: hi\r\n\tfold\r\n\r\nbody\r\n.dot\r\n');
const WAIT_MS = 20;
/** A header section, and the empty line behind it. */
const HEAD = /^(?:[!-9;-~]+[ \t]*:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)*\r\n/;

let server: Promise<Server> | undefined;
/** The chance of the input at work. */
let chance: () => number = () => 0;

/** A milter that mostly does as it should, and now and then anything. */
function serve(socket: Socket): void {
  const reader = new PacketReader(decodeToMilter, MILTER_LIMITS.packetBytes);
  const random = chance;
  const wildness = pick(random, [0.02, 0.1, 0.5]);
  const send = (kind: FromMilter['kind']): void => void socket.write(encodePacket(FROM_MILTER, packet(random, kind)));
  socket.on('error', () => {}); // the daemon hangs up on it
  socket.on('data', (view) => {
    reader.push(view);
    for (let read = reader.next(); read.kind === 'packet'; read = reader.next()) {
      const { kind } = read.packet;
      if (kind === 'macros' || kind === 'abort' || kind === 'quit') continue;
      if (random() < wildness) {
        const what = random();
        if (what < 0.1) socket.destroy();
        else if (what < 0.3) socket.write(noise(random, 60));
        else if (what < 0.4) continue;
        else send(pick(random, KINDS));
      } else if (kind === 'negotiate') {
        const protocol = random() < 0.7 ? 0x400 : Math.floor(random() * 0x1f_ffff);
        socket.write(encodePacket(FROM_MILTER, { kind: 'negotiate', version: 6, actions: 0x1ff, protocol, lists: [] }));
      } else if (kind === 'end') {
        for (let count = small(random, 10); count > 0; count--) send(pick(random, KINDS.slice(11)));
        send(pick(random, ['continue', 'accept', 'reply', 'discard']));
      } else send('continue');
    }
  });
}

async function port(): Promise<number> {
  server ??= new Promise((resolve) => {
    const made = createServer(serve);
    made.listen(0, '127.0.0.1', () => resolve(made));
  });
  return ((await server).address() as { port: number }).port;
}

async function bytesOf({ content }: Message): Promise<Buffer> {
  const views: Buffer[] = [];
  for await (const view of content.stream()) views.push(view);
  return Buffer.concat(views);
}

/** Whole sessions with a milter that says anything: whatever it does, no reply, message or log line is broken. */
export const milterSessions: Target = {
  name: 'milter-sessions',
  share: 3,
  deadlineMs: 2_000,
  async run(random) {
    chance = random;
    const address = { host: '127.0.0.1', port: await port() };
    const whenFailing = pick(random, MILTER_DEFAULTS);
    const waits = { connectMs: 5_000, commandMs: WAIT_MS, contentMs: WAIT_MS, endMs: WAIT_MS };
    const reports: Report[] = [];
    const filters = prepareMilters([{ name: 'wild', address, version: 6, whenFailing, connections: 5, ...waits }])({
      hostname: 'mx.test',
      software: 'inboxd',
      listener: { name: 'smtp' },
      spool: createMemorySpool(),
      contentBytes: 4_000,
      recipients: 100,
      report: (one) => reports.push(one),
    });
    const path = { local: 'a', domain: 'b.test', text: 'a@b.test' };
    const envelope = { from: { path, params: NO_PARAMS }, to: [{ path, params: NO_PARAMS }] };
    const client = { address: '192.0.2.1', port: 1, hello: 'c.test' };
    const result = await tryFilters(filters, { client, envelope, content: contentOf([MAIL]) });
    const shown = JSON.stringify({ whenFailing, reports });
    for (const reply of [result.refusal?.reply, ...result.refused.map((one) => one.reply)]) {
      const said = reply && soundReply({ ...reply, text: oneLine(reply.text) });
      if (reply && (!said || said.code < 400)) throw new Finding(`says ${JSON.stringify(reply)}`, shown);
    }
    const { message } = result;
    for (const { path: to } of message.envelope.to)
      if (HIDDEN.test(to.text)) throw new Finding('a recipient with controls', shown);
    for (const words of [
      message.quarantine ?? '',
      ...reports.flatMap((one) => (one.type === 'milter' ? (one.edits ?? []).map(({ what }) => what) : [])),
    ]) {
      if (HIDDEN.test(words)) throw new Finding(`words with controls: ${JSON.stringify(words)}`, shown);
    }
    if (result.verdict !== 'accepted' && result.verdict !== 'quarantined') return;
    const bytes = await bytesOf(message);
    if (message.original && !(await bytesOf(message.original)).equals(MAIL))
      throw new Finding('what came has changed', shown);
    const head = HEAD.exec(bytes.toString('latin1'));
    if (!head) throw new Finding(`a broken header: ${JSON.stringify(bytes.toString('latin1'))}`, shown);
    const isReplaced = reports.some(
      (one) => one.type === 'milter' && one.edits?.some(({ edit }) => edit === 'replace-body'),
    );
    const body = MAIL.subarray(MAIL.indexOf('\r\n\r\n') + 4);
    if (!isReplaced && !bytes.subarray(head[0].length).equals(body)) throw new Finding('the body has changed', shown);
  },
  async close() {
    const made = await server;
    server = undefined;
    await new Promise((resolve) => (made ? made.close(resolve) : resolve(undefined)));
  },
};
