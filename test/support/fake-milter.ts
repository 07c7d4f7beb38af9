/** A milter that answers what a test tells it to, and keeps what it was asked. */
import { createServer, type Server, type Socket } from 'node:net';
import { MILTER_LIMITS } from '../../src/milter/limits.ts';
import { PacketReader } from '../../src/milter/packet-reader.ts';
import {
  decoderOf,
  encodePacket,
  FROM_MILTER,
  type FromMilter,
  TO_MILTER,
  type ToMilter,
} from '../../src/milter/packets.ts';

/** What a milter does about a packet: packets to answer with, octets that may be none, or `hang up`. */
export type Response = readonly FromMilter[] | Buffer | 'hang up';

/** Decides by what was asked, and by how many times the same kind was asked before in that connection. */
export type Script = (asked: ToMilter, times: number) => Response;

export interface FakeMilterOptions {
  readonly version?: number;
  readonly actions?: number;
  readonly protocol?: number;
  readonly lists?: readonly { readonly stage: number; readonly names: string }[];
  /** Answers to the offer in place of the above. */
  readonly negotiate?: Response;
}

export const ALL_ACTIONS = 0x1ff;
export const SKIP_BIT = 0x400;

const SILENT: ReadonlySet<string> = new Set(['macros', 'abort', 'quit']);
const decodeToMilter = decoderOf(TO_MILTER);

/** What one connection was asked; packets of macros as `D`, with the command they were for. */
export interface Asked {
  readonly packets: ToMilter[];
  /** The letters of the packets in order, macros left out. */
  readonly letters: string;
  /** The macros that came for a command, by name. */
  macros(letter: string): Record<string, string> | undefined;
  readonly isClosed: boolean;
}

export class FakeMilter {
  readonly port: number;
  readonly connections: Connection[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as { port: number }).port;
  }

  /** Listens on a free port; what the script does not answer is answered `continue`. */
  static async start(
    script: (asked: ToMilter, times: number) => Response | undefined,
    options: FakeMilterOptions = {},
  ): Promise<FakeMilter> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const milter = new FakeMilter(server);
    server.on('connection', (socket) => milter.connections.push(new Connection(socket, script, options)));
    return milter;
  }

  /** The address as an option has it. */
  address(query = ''): string {
    return `inet:127.0.0.1:${this.port}${query}`;
  }

  /** The connection that was made first, or at a place. */
  asked(place = 0): Asked {
    const connection = this.connections[place];
    if (!connection) throw new Error(`the milter has ${this.connections.length} connections`);
    return connection;
  }

  async stop(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

class Connection implements Asked {
  readonly socket: Socket;
  readonly packets: ToMilter[] = [];
  isClosed = false;
  readonly #reader = new PacketReader(decodeToMilter, MILTER_LIMITS.packetBytes);
  readonly #script: (asked: ToMilter, times: number) => Response | undefined;
  readonly #options: FakeMilterOptions;
  readonly #times = new Map<string, number>();

  constructor(
    socket: Socket,
    script: (asked: ToMilter, times: number) => Response | undefined,
    options: FakeMilterOptions,
  ) {
    this.socket = socket.setNoDelay();
    this.#script = script;
    this.#options = options;
    socket.on('data', (view: Buffer) => this.#take(view));
    socket.on('error', () => {}); // the daemon may hang up on it
    socket.on('close', () => (this.isClosed = true));
  }

  get letters(): string {
    return this.packets
      .filter(({ kind }) => kind !== 'macros')
      .map(({ kind }) => TO_MILTER[kind].letter)
      .join('');
  }

  macros(letter: string): Record<string, string> | undefined {
    const found = this.packets.findLast((packet) => packet.kind === 'macros' && packet.command === letter);
    return found?.kind === 'macros' ? Object.fromEntries(found.values) : undefined;
  }

  #take(view: Buffer): void {
    this.#reader.push(view);
    for (let read = this.#reader.next(); read.kind !== 'more'; read = this.#reader.next()) {
      if (read.kind === 'malformed') throw new Error(`the daemon sent what is no packet: ${read.why}`);
      this.#answer(read.packet);
    }
  }

  #answer(packet: ToMilter): void {
    this.packets.push(packet);
    const { version = 6, actions = ALL_ACTIONS, protocol = SKIP_BIT, lists = [], negotiate } = this.#options;
    if (packet.kind === 'negotiate') {
      this.#send(negotiate ?? [{ kind: 'negotiate', version, actions, protocol, lists }]);
      return;
    }
    const times = this.#times.get(packet.kind) ?? 0;
    this.#times.set(packet.kind, times + 1);
    const response = this.#script(packet, times);
    if (response) this.#send(response);
    else if (!SILENT.has(packet.kind)) this.#send([{ kind: 'continue' }]);
  }

  #send(response: Response): void {
    if (response === 'hang up') this.socket.destroy();
    else if (Buffer.isBuffer(response)) this.socket.write(response);
    else if (response.length > 0)
      this.socket.write(Buffer.concat(response.map((one) => encodePacket(FROM_MILTER, one))));
  }
}
