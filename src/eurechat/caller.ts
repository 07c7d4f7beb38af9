import { connect, type Socket } from 'node:net';
import { encodeFrame, FrameReader } from '../wire/frame-reader.ts';
import { Input } from '../wire/input.ts';
import { EURECHAT_LIMITS } from './limits.ts';
import { mayCall, type Place } from './place.ts';

/**
 * Calls endpoints. Each call is a connection of its own, made and ended here: an endpoint may serve one frame and hang up,
 * as simple peers do, and one that has gone is noticed by the next call, not by a connection that says nothing.
 * A call rejects if the endpoint did not take it in time.
 */
export interface Caller {
  /** Sees whether anybody takes a connection. */
  reach(place: Place): Promise<void>;
  /** Asks for a PONG. */
  ping(place: Place): Promise<void>;
  /** Hands a frame over. */
  tell(place: Place, frame: Buffer): Promise<void>;
  /** Ends all calls. */
  close(): void;
}

export interface CallLimits {
  readonly connectMs: number;
  readonly pongMs: number;
  readonly hangUpMs: number;
}

const PING = encodeFrame('PING');
const ANSWER_LIMITS = { headerBytes: EURECHAT_LIMITS.lineBytes, payloadBytes: EURECHAT_LIMITS.payloadBytes };

export function createCaller({ connectMs, pongMs, hangUpMs }: CallLimits): Caller {
  const open = new Set<Socket>();

  const call = (place: Place): Promise<Socket> =>
    new Promise((resolve, reject) => {
      if (!mayCall(place)) throw new Error('not the own address of its client');
      const socket = connect({ host: place.address, port: place.port });
      open.add(socket);
      const timer = setTimeout(() => socket.destroy(new Error(`no connection within ${connectMs} ms`)), connectMs);
      socket.on('error', reject); // also hears what goes wrong later, which ends in 'close'
      socket.once('connect', () => {
        clearTimeout(timer);
        resolve(socket);
      });
      socket.once('close', () => {
        clearTimeout(timer);
        open.delete(socket);
        reject(new Error('the call was ended'));
      });
    });

  return {
    async reach(place) {
      (await call(place)).destroy();
    },
    async ping(place) {
      const socket = await call(place);
      const answered = pong(socket, pongMs);
      socket.write(PING);
      await answered.finally(() => socket.destroy());
    },
    async tell(place, frame) {
      const socket = await call(place);
      const taken = hungUp(socket, connectMs);
      socket.resume(); // what it says is read away, or its end would not be seen
      socket.end(frame, () => setTimeout(() => socket.destroy(), hangUpMs).unref());
      await taken;
    },
    close() {
      for (const socket of open) socket.destroy();
    },
  };
}

/** Waits for a PONG, which has to be the first frame that comes. */
function pong(socket: Socket, milliseconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`no PONG within ${milliseconds} ms`));
    const timer = setTimeout(late, milliseconds);
    const reader = new FrameReader();
    const input = new Input();
    socket.on('data', (view) => {
      input.push(view);
      const frame = reader.next(input, ANSWER_LIMITS);
      if (frame === undefined) return;
      if ('type' in frame && frame.type === 'PONG') resolve();
      else reject(new Error('the answer is no PONG'));
    });
    socket.once('close', () => {
      clearTimeout(timer);
      reject(new Error('hung up without a PONG'));
    });
  });
}

/** Waits for the end of a call, brought about by either side; rejects if it broke. */
function hungUp(socket: Socket, milliseconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = () => socket.destroy(new Error(`not taken within ${milliseconds} ms`));
    const timer = setTimeout(late, milliseconds);
    socket.once('error', reject);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
