/**
 * What a connection needs of the socket under it. `net.Socket` and `tls.TLSSocket` have it, and so has `TcpPeer`.
 */
export interface Peer {
  /** IP address of the other end; undefined for a UNIX socket, and once the socket is gone. */
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  /** Octets written that the system has not taken yet. */
  readonly writableLength: number;
  /** Octets that arrived. The view is the listener's to read and to change while it runs, and nobody's afterwards. */
  on(event: 'data', listener: (view: Buffer) => void): unknown;
  /** The other end will send no more; `drain`: everything written is taken; `close`: nothing comes any more. */
  on(event: 'end' | 'drain' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** For who takes a connection over from another reader. */
  removeAllListeners(event: 'data' | 'end' | 'drain' | 'error'): unknown;
  /** Gives octets back that were read too far: they come again, before any others, to whoever listens next. Copies nothing. */
  unshift(bytes: Buffer): unknown;
  pause(): unknown;
  resume(): unknown;
  /** @param taken is told when the system has taken all of them */
  write(bytes: Buffer, taken?: () => void): unknown;
  /** Says that no more will be written, once all is. */
  end(): unknown;
  destroy(): unknown;
  /** `destroy`, once all that was written is taken. */
  destroySoon(): unknown;
}
