export interface Place {
  readonly host: string;
  readonly port: string;
}

/**
 * Where mail can be sent to by SMTP, as somebody at this browser would say it.
 * @param here host that the page came from: the name of a daemon that listens everywhere
 */
export function smtpAt(listeners: readonly { readonly url: string }[], here: string): Place | undefined {
  for (const { url } of listeners) {
    // of schemes that it does not know a URL says no host
    const [, host, port] = /^smtps?:\/\/(\[[^\]]+\]|[^:/]+)(?::(\d+))?/.exec(url) ?? [];
    if (host === undefined) continue;
    return { host: host === '0.0.0.0' || host === '[::]' ? here : host, port: port ?? '25' };
  }
  return undefined;
}

/** What to type to send a mail; an inbox that is no address gets one that leads to it. */
export function swaksLine({ host, port }: Place, inbox = 'anyone@anything.example'): string {
  const plain = /^[\w.+@-]+$/.test(inbox);
  return `swaks --to ${plain ? inbox : `'${inbox.replaceAll("'", `'\\''`)}'`} --server ${host}:${port}`;
}
