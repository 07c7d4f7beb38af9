import { Readable } from 'node:stream';
import type { ARCData, ARCResult, DKIMResult, SPFResult } from 'mailauth';
import { arc as checkArc } from 'mailauth/lib/arc/index.js';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { evaluateDmarc } from 'mailauth/lib/dmarc/index.js';
import { spf as checkSpf } from 'mailauth/lib/spf/index.js';
import { normaliseDomain } from '../mail/address.ts';
import {
  type ArcFinding,
  AUTH_RESULTS,
  type AuthResult,
  type DkimFinding,
  type DmarcFinding,
  type SpfFinding,
  type Verification,
} from '../mail/verification.ts';
import type { VerifyLimits } from './limits.ts';
import type { Facts, Question } from './protocol.ts';

/**
 * Asks mailauth about one message, method by method and as strictly as the RFCs are.
 *
 * Only the modules that check are loaded, and not the package's front: behind that there are also BIMI and MTA-STS,
 * which fetch what a mail names. DMARC comes out as `temperror` where it fails only because DNS did not answer: then
 * nobody knows, and nobody's mail may be refused for it.
 */

/** @throws an error with the codes of `node:dns` */
export type Ask = (name: string, type: Question) => Promise<unknown>;

/** What no signature needs more bits for, and no domain should sign with fewer (RFC 8301 §3.2). */
const LEAST_KEY_BITS = 1024;

export async function examine(
  content: AsyncIterable<Buffer>,
  facts: Facts,
  ask: Ask,
  limits: VerifyLimits,
): Promise<Verification> {
  const unanswered = new Set<string>();
  const resolver = async (name: string, type: string): Promise<string[]> => {
    try {
      return (await ask(name, type as Question)) as string[];
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== 'ENOTFOUND' && code !== 'ENODATA') unanswered.add(name.toLowerCase());
      throw error;
    }
  };
  const options = { resolver, minBitLength: LEAST_KEY_BITS, strict: true };
  const { mailFrom, hello, address } = facts;
  // a sender always, since mailauth would take a null one from the header's Return-Path
  const sender = mailFrom === '' ? `postmaster@${hello}` : mailFrom;
  const dkim = await dkimVerify(Readable.from(content), { ...options, sender });
  const spf =
    address === '' ? undefined : await checkSpf({ ...options, sender, ip: address, helo: hello, mta: 'inboxd' });
  const arc = await checkArc((dkim.arc ?? { chain: false }) as ARCData, options);
  const reason = reasonWithin(limits);
  const signatures = dkim.results.filter(({ status }) => status.result !== 'none');
  return {
    status: 'done',
    reason: '',
    spf: spfOf(spf, facts, reason),
    dkim: signatures.map((signature) => dkimOf(signature, reason)),
    dmarc: await dmarcOf({ dkim, signatures, spf, arc, resolver }, reason),
    arc: arcOf(arc, unanswered, reason),
  };
}

type Resolve = (name: string, type: string) => Promise<string[]>;
type Reason = (text: string | undefined) => string;

function spfOf(spf: SPFResult | undefined, { mailFrom }: Facts, reason: Reason): SpfFinding {
  const identity = mailFrom === '' ? 'helo' : 'mailfrom';
  if (!spf) return { result: 'none', domain: '', reason: 'the client has no address', identity };
  const { comment } = spf.status;
  return {
    result: resultOf(spf.status.result),
    domain: domainOf(spf.domain),
    reason: reason(comment?.replace(/^inboxd: /, '')),
    identity,
  };
}

function dkimOf(signature: DKIMResult, reason: Reason): DkimFinding {
  const { status, signingDomain = '', selector = '', algo = '' } = signature;
  const unsigned = status.underSized ? `the last ${status.underSized} octets of the body are not signed` : undefined;
  return {
    result: resultOf(status.result),
    domain: domainOf(signingDomain),
    reason: reason(status.comment ?? status.policy?.['dkim-rules'] ?? unsigned),
    selector: reason(selector),
    algorithm: reason(algo),
  };
}

interface Known {
  readonly dkim: { readonly headerFrom: string[]; readonly fromFields: number };
  readonly signatures: readonly DKIMResult[];
  readonly spf: SPFResult | undefined;
  readonly arc: ARCResult;
  readonly resolver: Resolve;
}

async function dmarcOf(known: Known, reason: Reason): Promise<DmarcFinding> {
  const { response, reason: cause } = await dmarcAsIf(known, ['pass']);
  if (!response)
    return { result: 'permerror', domain: '', reason: reason(NO_AUTHOR[cause ?? 'no-author-domain']), policy: '' };
  const result = resultOf(response.status.result);
  const finding = {
    result,
    domain: domainOf(response.status.header?.from ?? response.domain),
    policy: policyOf(response.policy),
  };
  if (result === 'fail') {
    const hopeful = await dmarcAsIf(known, ['pass', 'temperror']);
    if (hopeful.response && hopeful.response.status.result !== 'fail') {
      return { ...finding, result: 'temperror', reason: 'DNS did not answer for a domain that may be the sender’s' };
    }
    return { ...finding, reason: 'neither SPF nor DKIM passed for the domain of From' };
  }
  return { ...finding, reason: reason(response.error) };
}

/** What DMARC says when SPF and signatures with one of these results count. */
function dmarcAsIf({ dkim, signatures, spf, arc, resolver }: Known, results: readonly string[]) {
  return evaluateDmarc({
    headerFrom: dkim.headerFrom,
    fromFields: dkim.fromFields,
    spfDomains: spf && results.includes(spf.status.result) ? [spf.domain] : [],
    dkimDomains: signatures
      .filter(({ status }) => results.includes(status.result))
      .map(({ signingDomain = '', status }) => ({ domain: signingDomain, underSized: status.underSized ?? 0 })),
    arcResult: arc,
    resolver,
    strict: true,
  });
}

const NO_AUTHOR = {
  'no-author-domain': 'From names no domain',
  'multiple-author-domains': 'From names several domains',
  'invalid-author-domain': 'From names something that is no domain',
  'multiple-from-fields': 'there are several From fields',
};

/** The package calls a chain broken whose keys nobody could look up; that is not known. */
function arcOf(arc: ARCResult, unanswered: ReadonlySet<string>, reason: Reason): ArcFinding {
  const chain = arc.chain || [];
  const keys = chain.flatMap((set) => [set['arc-seal'], set['arc-message-signature']].map(keyName));
  const isUnknown = arc.status.result === 'fail' && keys.some((name) => unanswered.has(name));
  const last = chain.at(-1)?.['arc-seal']?.parsed?.d?.value;
  return {
    result: isUnknown ? 'temperror' : resultOf(arc.status.result),
    domain: domainOf(typeof last === 'string' ? last : ''),
    reason: isUnknown ? 'DNS did not answer for a key' : reason(arc.status.result === 'fail' ? arc.status.comment : ''),
    instances: chain.length,
  };
}

interface Signature {
  readonly parsed?: Readonly<Record<string, { readonly value?: unknown } | undefined>>;
}

function keyName(signature: Signature | undefined): string {
  return `${signature?.parsed?.s?.value}._domainkey.${signature?.parsed?.d?.value}`.toLowerCase();
}

function resultOf(word: string): AuthResult {
  return AUTH_RESULTS.find((result) => result === word) ?? 'neutral';
}

function policyOf(word: string | undefined): DmarcFinding['policy'] {
  return word === 'none' || word === 'quarantine' || word === 'reject' ? word : '';
}

/** A domain as it may stand in a header; '' for what is none. */
function domainOf(text: string): string {
  const domain = normaliseDomain(text).replace(/\.$/, '');
  return /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(domain) && domain.length <= 253 ? domain : '';
}

/** One line of a bounded length without anything that acts. */
function reasonWithin({ reasonCharacters }: VerifyLimits): Reason {
  return (text = '') =>
    text
      .replace(/[\u0000-\u0020\u007f-\u009f\u2028\u2029]+/g, ' ')
      .trim()
      .slice(0, reasonCharacters)
      .toWellFormed();
}
