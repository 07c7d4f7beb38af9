import type { Path } from '../mail/address.ts';
import type { Recipient, Sender } from '../mail/envelope.ts';
import type { Client } from '../mail/message.ts';
import type { Verdict } from '../mail/sink.ts';
import { octetsOf } from './fields.ts';
import type { Agreement, MacroStage } from './negotiation.ts';

/** What macros are made of: facts of the session and of the transaction, as far as they are known. */
export interface MacroFacts {
  readonly hostname: string;
  readonly software: string;
  /** The listener: its label, and its address if that is one of a network. */
  readonly daemon: { readonly name: string; readonly address?: string; readonly port?: number };
  readonly client: Client;
  /** Id of the transaction. */
  readonly transaction?: string;
  readonly sender?: Sender;
  readonly recipient?: Recipient;
  /** Why the recipient is refused. */
  readonly refusal?: Verdict;
  /** Of the header. */
  readonly messageId?: string;
}

type Value = (facts: MacroFacts) => string | undefined;

const pathOf = (path: Path | null | undefined): string | undefined => (path === null ? '' : path?.text);
const domainOf = (path: Path | null | undefined): string | undefined => (path === null ? '' : path?.domain);

/** Every macro with where its value comes from; one without a value is not sent. */
// biome-ignore format: one macro a line
const VALUES: Readonly<Record<string, Value>> = {
  j:                ({ hostname }) => hostname,
  v:                ({ software }) => software,
  _:                ({ client }) => `${client.name ?? 'unknown'} [${client.address}]`,
  i:                ({ transaction }) => transaction,
  daemon_name:      ({ daemon }) => daemon.name,
  daemon_addr:      ({ daemon }) => daemon.address,
  daemon_port:      ({ daemon }) => daemon.port?.toString(),
  if_name:          ({ hostname }) => hostname,
  if_addr:          ({ daemon }) => daemon.address,
  client_addr:      ({ client }) => client.address,
  client_name:      ({ client }) => client.name ?? 'unknown',
  client_port:      ({ client }) => client.port.toString(),
  client_ptr:       ({ client }) => client.name ?? 'unknown',
  client_resolve:   ({ client }) => (client.name === undefined ? 'FAIL' : 'OK'),
  tls_version:      ({ client }) => client.tls?.version,
  cipher:           ({ client }) => client.tls?.cipher,
  cert_subject:     ({ client }) => client.tls?.subject,
  auth_type:        ({ client }) => client.login?.mechanism,
  auth_authen:      ({ client }) => client.login?.user,
  auth_author:      ({ sender }) => parameter(sender, 'AUTH'),
  mail_mailer:      ({ sender }) => sender && 'esmtp',
  mail_host:        ({ sender }) => domainOf(sender?.path),
  mail_addr:        ({ sender }) => pathOf(sender?.path),
  rcpt_mailer:      ({ recipient, refusal }) => recipient && (refusal ? 'error' : 'local'),
  rcpt_host:        ({ recipient, refusal }) => (refusal ? refusal.enhanced : domainOf(recipient?.path)),
  rcpt_addr:        ({ recipient, refusal }) => (refusal ? refusal.text : pathOf(recipient?.path)),
  msg_id:           ({ messageId }) => messageId,
};

/** What is sent at each stage to a milter that has no wishes of its own. */
const USUAL: Readonly<Record<MacroStage, readonly string[]>> = {
  connect: wordsOf(
    'j v _ {daemon_name} {daemon_addr} {daemon_port} {if_addr} {client_addr} {client_name} {client_port} {client_ptr}',
  ),
  hello: wordsOf('{tls_version} {cipher} {cert_subject}'),
  mail: wordsOf('i {auth_type} {auth_authen} {auth_author} {mail_mailer} {mail_host} {mail_addr}'),
  rcpt: wordsOf('i {rcpt_mailer} {rcpt_host} {rcpt_addr}'),
  data: wordsOf('i'),
  headEnd: wordsOf('i'),
  end: wordsOf('i {msg_id}'),
};

function wordsOf(list: string): readonly string[] {
  return list.split(' ');
}

/** The macros of a stage, by the names that the milter knows them by; those of unknown value are left out. */
export function macrosFor(
  stage: MacroStage,
  { macros }: Pick<Agreement, 'macros'>,
  facts: MacroFacts,
): readonly (readonly [string, string])[] {
  return (macros.get(stage) ?? USUAL[stage]).flatMap((name) => {
    const plain = name.replace(/^\{(.*)\}$/, '$1');
    const value = Object.hasOwn(VALUES, plain) ? VALUES[plain]!(facts) : undefined;
    return value === undefined ? [] : [[name, octetsOf(value.replaceAll('\0', ' '))] as const];
  });
}

function parameter(sender: Sender | undefined, keyword: string): string | undefined {
  const value = sender?.params.get(keyword);
  return typeof value === 'string' ? value : undefined;
}
