export interface FrontOptions {
  readonly version: string;
  readonly hostname: string;
  /** What the daemon listens on, as URLs such as `smtp://127.0.0.1:1025`; asked at each request. */
  readonly listeners: () => readonly string[];
}

/** What stands at `/` where the page has not been built: says in plain text what is here and how to try it. */
export function frontText({ version, hostname, listeners }: FrontOptions): string {
  const urls = listeners();
  const lines = [
    `inboxd ${version} on ${hostname}`,
    'Every address already has an inbox: send it mail and read it here.',
  ];
  if (urls.length > 0) lines.push('', 'Listening on', ...urls.map((url) => `  ${url}`));
  const smtp = urls.map(smtpServer).find((server) => server !== undefined);
  if (smtp !== undefined) lines.push('', 'Send a mail', `  swaks --to anyone@anything.example --server ${smtp}`);
  lines.push(
    '',
    'Read it',
    '  /api/v1/messages              all messages, newest first',
    '  /api/v1/search?query=...      those that match, e.g. addressed:anyone@anything.example',
    '  /api/v1/message/latest        the newest, taken apart',
    '  /api/v1/message/latest/raw    its source, byte for byte',
  );
  return `${lines.join('\n')}\n`;
}

/** Gives what swaks is to be told: `host:port`, or undefined for what it cannot reach by SMTP over TCP. */
function smtpServer(url: string): string | undefined {
  if (!url.startsWith('smtp://') || !URL.canParse(url)) return undefined;
  const { hostname, port } = new URL(url);
  const host = hostname === '0.0.0.0' || hostname === '[::]' ? '127.0.0.1' : hostname;
  return host === '' ? undefined : `${host}:${port || '25'}`;
}
