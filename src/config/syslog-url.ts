import { parseServer } from './listen-url.ts';

/** Reads where syslog is: `local`, `udp://host:port` or `tcp://host:port`; undefined if it is none of them. */
export function parseSyslog(
  text: string,
): 'local' | { transport: 'udp' | 'tcp'; host: string; port: number } | undefined {
  if (text === 'local') return text;
  const [, transport, where = ''] = /^(udp|tcp):\/\/(.+)$/i.exec(text) ?? [];
  const server = transport === undefined ? undefined : parseServer(where);
  if (!server || 'path' in server) return undefined;
  return { transport: transport!.toLowerCase() as 'udp' | 'tcp', ...server };
}
