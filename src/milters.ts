import type { ListenAddress } from './config/listen-url.ts';
import type { Config } from './config/settings.ts';
import type { Spool } from './mail/content.ts';
import type { Filter } from './mail/filter.ts';
import type { Reporter } from './mail/report.ts';
import { VERSION } from './version.ts';

export interface MiltersParts {
  readonly spool: Spool;
  readonly report: Reporter;
  /** The filter that decides by addresses, where there is one. */
  readonly rules: Filter | undefined;
}

/** The milters of a configuration, as the filters of each listener of mail. */
export async function openMilters(
  config: Config,
  parts: MiltersParts,
): Promise<(address: ListenAddress) => readonly Filter[]> {
  if (config.milters.length === 0) return () => [];
  const { prepareMilters } = await import('./milter/filter.ts'); // most daemons ask none
  const filtersOf = prepareMilters(config.milters);
  const { hostname, maxMessageBytes: contentBytes, maxRecipients: recipients } = config;
  const software = `inboxd ${VERSION}`;
  return (address) =>
    filtersOf({ hostname, software, contentBytes, recipients, listener: listenerFacts(address), ...parts });
}

/** What macros say of a listener; one that takes whatever address and port there is says nothing of them. */
function listenerFacts({ protocol, host, port, path }: ListenAddress) {
  if (path !== undefined) return { name: protocol, path };
  const address = host === '0.0.0.0' || host === '::' ? undefined : host;
  return { name: protocol, address, port: port === 0 ? undefined : port };
}
