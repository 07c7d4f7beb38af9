import { formatListenUrl, type ListenAddress } from './config/listen-url.ts';
import { StartError } from './errors.ts';

/** Says in plain words why nothing can listen at an address; an error it has no words for passes as it is. */
export function listenFailure(address: ListenAddress, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const where = address.path === undefined ? `port ${address.port} on ${address.host}` : `socket ${address.path}`;
  const url = formatListenUrl(address);
  switch (code) {
    case 'EADDRINUSE':
      return new StartError('ADDRESS_IN_USE', `${where} is already in use (${url})`, { cause: error });
    case 'EACCES':
    case 'EPERM':
      return new StartError('ADDRESS_FORBIDDEN', `${where} is not allowed for this user; ${remedy(address)} (${url})`, {
        cause: error,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
    case 'ENOENT':
    case 'ENOTDIR':
      return new StartError('ADDRESS_UNAVAILABLE', `${where} cannot be listened on: no such place here (${url})`, {
        cause: error,
      });
    default:
      return error;
  }
}

function remedy(address: ListenAddress): string {
  return address.path === undefined
    ? 'ports below 1024 need the capability CAP_NET_BIND_SERVICE or socket activation'
    : 'the folder of the socket must be writable';
}
