import type { Server as TlsServer } from 'node:tls';
import { isEncrypted, parseServer } from '../config/listen-url.ts';
import { encryptHttp, isHttpsOnly } from '../encryption.ts';
import { createHttpServer } from '../http/server.ts';
import { mtaStsPolicy } from '../sts-policy.ts';
import { VERSION } from '../version.ts';
import { type MakeDoor, serverDoor } from './door.ts';

/** HTTP: API, page and what other servers' clients know. */
export const httpDoor: MakeDoor = async (address, parts) => {
  const { config, keep, report, access, counters, refusals, metrics, urls: listeners, certificates, clients } = parts;
  const { hostname, naming, corsOrigins: allowedOrigins } = config;
  const isSecure = isEncrypted(address.protocol);
  const server: ReturnType<typeof createHttpServer> = createHttpServer({
    ...(isSecure && certificates && { tls: encryptHttp(certificates, () => server.server as unknown as TlsServer) }),
    onlyHttps: isHttpsOnly(config, certificates),
    store: keep.store,
    submit: keep.sink,
    spool: keep.spool,
    sendBytes: config.maxMessageBytes,
    sinkMs: config.sinkTimeoutMs,
    spamd: parseServer(config.spamd),
    chaos: keep.chaos,
    webhooks: keep.webhooks,
    version: VERSION,
    hostname,
    naming,
    report,
    allowedOrigins,
    access,
    clients,
    counters,
    refusals,
    listeners,
    ...(metrics && { metrics }),
    ...(config.mtaSts.length > 0 && { mtaSts: mtaStsPolicy(config) }),
  });
  await server.ready();
  return serverDoor(address, server.server, () => server.close());
};
