import { innerProtocol } from '../config/listen-url.ts';
import { encryptMail } from '../encryption.ts';
import { lmtp, lmtpTlsRequired } from '../lmtp/table.ts';
import { SMTP_LIMITS, type SmtpLimits } from '../smtp/limits.ts';
import { prepare, Session } from '../smtp/session.ts';
import { mailinator, smtp, smtpTlsRequired } from '../smtp/table.ts';
import { Connection } from '../wire/connection.ts';
import type { Listener, Origin } from '../wire/listener.ts';
import { Networks } from '../wire/networks.ts';
import type { Peer } from '../wire/peer.ts';
import { type MakeDoor, machineDoor } from './door.ts';

/** SMTP and LMTP: takes mail. */
export const mailDoor: MakeDoor = async (address, parts) => {
  const { config, keep, report, guard, filters, logins, certificates } = parts;
  const protocol = innerProtocol(address.protocol) === 'lmtp' ? 'lmtp' : 'smtp';
  const isLmtp = protocol === 'lmtp';
  const { access: tls, starttls } = encryptMail(address, config, certificates);
  const { before, behind } = guard.filters(protocol);
  const limits: SmtpLimits = {
    ...SMTP_LIMITS,
    contentBytes: config.maxMessageBytes,
    recipients: config.maxRecipients,
    commandMs: config.commandTimeoutMs,
    dataMs: config.dataTimeoutMs,
    sinkMs: config.sinkTimeoutMs,
  };
  const services = prepare({
    protocol: isLmtp ? 'LMTP' : 'SMTP',
    hostname: config.hostname,
    limits: guard.limits(protocol, limits),
    sink: keep.sink,
    spool: keep.spool,
    report,
    bareNewlines: config.bareNewlines,
    lenientSyntax: config.lenientSyntax,
    starttls: starttls !== 'off',
    room: () => keep.space.room(),
    chaos: keep.chaos,
    filters: [...before, ...filters(address), ...behind],
    sleepers: guard.sleepers,
    ...(logins && { logins }),
    ...(config.xclientFrom.length > 0 && { trusted: new Networks(config.xclientFrom) }),
  });
  const serve = (peer: Peer, { address: from, port }: Origin) => {
    const session = new Session(services, from, port);
    if (starttls === 'required') return new Connection(peer, isLmtp ? lmtpTlsRequired : smtpTlsRequired, session, tls);
    if (isLmtp) return new Connection(peer, lmtp, session, tls);
    if (config.profile === 'mailinator') return new Connection(peer, mailinator, session, tls);
    return new Connection(peer, smtp, session, tls);
  };
  // no word of ours would be understood before the handshake, and that is not worth one
  const gate = guard.gate(protocol, { isSilent: tls?.implicit === true });
  const watch = (listener: Listener): void => guard.watch(services, listener);
  return machineDoor(address, parts, { gate, serve, watch });
};
