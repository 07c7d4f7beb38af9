import { parseListenUrl } from '../config/listen-url.ts';
import type { Config } from '../config/settings.ts';
import { VERSION } from '../version.ts';
import { oneLine } from './output.ts';

type Listeners = readonly { readonly protocol: string; readonly url: string }[];

/**
 * What listens where, and what to type next; for a terminal.
 * @param fingerprint of the certificate that the daemon made for itself, if it uses one
 */
export function welcome(config: Config, listeners: Listeners, fingerprint?: string): string {
  const lines: [string, string][] = listeners.map(({ protocol, url }) => [protocol.toUpperCase(), oneLine(url)]);
  lines.push(['data', config.sink.kind === 'store' ? oneLine(config.data) : `kept by the sink, not by inboxd`]);
  if (fingerprint !== undefined) lines.push(['tls', `own certificate, SHA-256 ${fingerprint}`]);
  const swaks = swaksLine(listeners);
  if (swaks !== undefined) lines.push(['try', swaks]);
  const http = listeners.find(({ protocol, url }) => protocol === 'http' && !url.startsWith('http:///'));
  if (http) lines.push(['then', `curl -s ${reachable(http.url)}/api/v1/messages`]);
  return [`inboxd ${VERSION}`, ...lines.map(([name, text]) => `  ${name.padEnd(5)} ${text}`), ''].join('\n');
}

/** The command that sends a first mail. */
function swaksLine(listeners: Listeners): string | undefined {
  const url = listeners.find(({ protocol }) => protocol === 'smtp')?.url;
  const parsed = url === undefined ? undefined : parseListenUrl(reachable(url));
  if (!parsed?.ok) return undefined;
  const { path, host, port } = parsed.value;
  const to = 'swaks --to anyone@anything.example';
  if (path !== undefined) return `${to} --socket ${oneLine(path)}`;
  return `${to} --server ${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** A listener on every address is reached on loopback. */
function reachable(url: string): string {
  return url.replace('://0.0.0.0:', '://127.0.0.1:').replace('://[::]:', '://[::1]:');
}
