import type { Config } from '../config.ts';
import { type Edits, findEdits } from '../mail/edits.ts';
import { htmlToText } from '../mail/html-text.ts';
import type { TlsFacts } from '../mail/message.ts';
import { type ParsedMail, parseMessage } from '../mail/mime.ts';
import type { ContentForm, StoredMessage } from '../mail/store.ts';
import { EXIT } from './exit-codes.ts';
import {
  columns,
  complain,
  manyLines,
  oneLine,
  print,
  printBytes,
  printJson,
  readableSize,
  readableTime,
} from './output.ts';
import { findMessage, type StoreReader, withReader } from './store-access.ts';
import { verificationFacts } from './verification-facts.ts';

const SHOWN_HEADERS = ['from', 'sender', 'reply-to', 'to', 'cc', 'subject', 'date', 'message-id'];
const TEXT_CHARACTERS = 1_000_000;

/** `inboxd show <id|latest>`: one message as filters left it, for people or as JSON, or its source byte for byte. */
export async function show(
  config: Config,
  wanted: string,
  options: { raw?: boolean; json?: boolean; form?: ContentForm },
): Promise<number> {
  return withReader(config, async (reader) => {
    const id = await findMessage(reader, wanted);
    if (id === undefined) return missing(wanted);
    if (options.raw) return showRaw(reader, id, options.form);
    const stored = await reader.get(id);
    const content = await reader.content(id, 'edited');
    if (!stored || !content) return missing(wanted);
    const chunks: Buffer[] = [];
    for await (const chunk of content.stream()) chunks.push(chunk);
    const parsed = await parseMessage(Buffer.concat(chunks));
    const edits = await findEdits(stored, (form) => reader.content(id, form));
    if (options.json) printJson(asData(stored, parsed, edits));
    else print(asPage(stored, parsed, edits));
    return EXIT.OK;
  });
}

async function showRaw(reader: StoreReader, id: string, form: ContentForm = 'received'): Promise<number> {
  const content = await reader.content(id, form);
  if (!content) return missing(id);
  await printBytes(content.stream());
  return EXIT.OK;
}

function missing(id: string): number {
  complain(id === 'latest' ? 'no mail yet' : `no message ${oneLine(id)}`);
  return EXIT.NOTHING;
}

function asData(stored: StoredMessage, parsed: ParsedMail, edits: Edits | null): object {
  const { date, headers, text, html, parts } = parsed;
  const attached = parts.map(({ content: _content, ...facts }) => facts);
  return { ...stored, date, headers, text, html, parts: attached, edits };
}

function encryption({ version, cipher, serverName, subject }: TlsFacts): string {
  const asked = serverName === undefined ? '' : ` for ${oneLine(serverName)}`;
  const given = subject === undefined ? '' : `, client certificate of ${oneLine(subject)}`;
  return `${version} with ${cipher}${asked}${given}`;
}

function asPage(stored: StoredMessage, parsed: ParsedMail, edits: Edits | null): string {
  const { envelope, client, quarantine } = stored;
  const facts: [string, string][] = [
    ['Id', stored.id],
    [
      'Received',
      `${readableTime(stored.receivedAt)} from ${oneLine(client.address)} (${oneLine(client.hello)}) with ${stored.protocol}`,
    ],
    ...(client.tls ? [['Encryption', encryption(client.tls)] satisfies [string, string]] : []),
    ...(client.login
      ? [
          ['Logged in', `as ${oneLine(client.login.user)} with ${oneLine(client.login.mechanism)}`] satisfies [
            string,
            string,
          ],
        ]
      : []),
    [
      'Envelope',
      `<${oneLine(envelope.from)}> to ${envelope.to.map(({ address }) => `<${oneLine(address)}>`).join(', ')}`,
    ],
    ['Inboxes', stored.inboxes.map((inbox) => oneLine(inbox)).join(', ')],
    ['Size', readableSize(stored.bytes)],
    ...(quarantine === null
      ? []
      : [['Quarantine', oneLine(quarantine) || 'no reason given'] satisfies [string, string]]),
    ...(edits ? [['Changed', describeEdits(edits)] satisfies [string, string]] : []),
    ...verificationFacts(stored.verification),
  ];
  const headers = parsed.headers
    .filter(({ name }) => SHOWN_HEADERS.includes(name.toLowerCase()))
    .map(({ name, value }): [string, string] => [oneLine(name), oneLine(displayed(name, value, stored))]);
  const blocks = [columns(facts), columns(headers), manyLines(bodyOf(parsed)), attachmentsOf(parsed)];
  return blocks.filter((block) => block !== '').join('\n\n');
}

/** What filters changed, in a line. */
function describeEdits({ headers, body, sender, recipients }: Edits): string {
  const names = (fields: readonly { readonly name: string }[]) => fields.map(({ name }) => oneLine(name)).join(', ');
  const addresses = (some: readonly string[]) => some.map((address) => `<${oneLine(address)}>`).join(', ');
  const parts = [
    headers.added.length > 0 ? `added ${names(headers.added)}` : '',
    headers.removed.length > 0 ? `removed ${names(headers.removed)}` : '',
    headers.changed.length > 0 ? `changed ${names(headers.changed)}` : '',
    headers.isRearranged ? 'header rearranged' : '',
    body ? 'body changed' : '',
    sender ? `sender was ${addresses([sender.before])}` : '',
    recipients.added.length > 0 ? `added recipients ${addresses(recipients.added)}` : '',
    recipients.removed.length > 0 ? `removed recipients ${addresses(recipients.removed)}` : '',
  ];
  return parts.filter((part) => part !== '').join('; ');
}

/** The decoded form where the summary has one; parsed fields are as written. */
function displayed(name: string, value: string, stored: StoredMessage): string {
  const list = (addresses: StoredMessage['to']) =>
    addresses.map(({ name: of, address }) => (of === '' ? address : `${of} <${address}>`)).join(', ');
  switch (name.toLowerCase()) {
    case 'subject':
      return stored.subject;
    case 'from':
      return stored.from ? list([stored.from]) : value;
    case 'to':
      return stored.to.length > 0 ? list(stored.to) : value;
    case 'cc':
      return stored.cc.length > 0 ? list(stored.cc) : value;
    default:
      return value;
  }
}

function bodyOf({ text, html }: ParsedMail): string {
  const body = text !== '' || html === '' ? text : htmlToText(html, TEXT_CHARACTERS);
  return body.trimEnd().slice(0, TEXT_CHARACTERS);
}

function attachmentsOf({ parts }: ParsedMail): string {
  const lines = parts.map(({ fileName, contentType, bytes }) => {
    return `  ${oneLine(fileName === '' ? '(no name)' : fileName)}  ${oneLine(contentType)}  ${readableSize(bytes)}`;
  });
  return lines.length === 0 ? '' : ['Attachments:', ...lines].join('\n');
}
