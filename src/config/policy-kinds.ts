import { isIPv4, isIPv6 } from 'node:net';
import type { Kind } from './kinds.ts';

/** Lists of what connections and addresses are judged by: flags that repeat, TOML arrays, or variables with blanks or commas. */
function listOf(allowed: string, placeholder: string, isOne: (text: string) => boolean): Kind<readonly string[]> {
  const accepts = (value: unknown): value is string[] =>
    Array.isArray(value) && value.every((one) => typeof one === 'string' && isOne(one));
  return {
    allowed,
    placeholder,
    isList: true,
    read(raw) {
      const list = typeof raw === 'string' ? raw.split(/[\s,]+/).filter((one) => one !== '') : raw;
      if (accepts(list)) return { ok: true, value: list };
      const wrong = Array.isArray(list) ? list.find((one) => typeof one !== 'string' || !isOne(one)) : undefined;
      return { ok: false, why: wrong === undefined ? '' : `${JSON.stringify(wrong)} is none` };
    },
    accepts,
    print: (value) => value,
  };
}

/** Networks that clients come from. */
export const NETWORKS = listOf('IP addresses and networks such as 192.0.2.0/24 or 2001:db8::/32', 'network', isNetwork);

/** Patterns of addresses, and `<>` for the null sender. */
export const SENDER_PATTERNS = listOf(
  'addresses and domains such as ann@example.org, *@example.org or *.example.org, in which * stands for anything; <> for bounces',
  'pattern',
  (text) => text === '<>' || isAddressPattern(text),
);

/** Patterns of addresses. */
export const RECIPIENT_PATTERNS = listOf(
  'addresses and domains such as ann@example.org, *@example.org or *.example.org, in which * stands for anything',
  'pattern',
  isAddressPattern,
);

function isNetwork(text: string): boolean {
  const match = /^([0-9a-f:.]+)(?:\/(\d{1,3}))?$/i.exec(text);
  const [, address = '', bits = '0'] = match ?? [];
  return isIPv4(address) ? Number(bits) <= 32 : isIPv6(address) && Number(bits) <= 128;
}

/** Domains are letters, digits, dots and hyphens, in any script, or an address literal; local parts anything without blanks. */
function isAddressPattern(text: string): boolean {
  if (text.length > 320 || /[\s,<>\p{Cc}\p{Cf}]/u.test(text)) return false;
  const at = text.lastIndexOf('@');
  return at !== 0 && /^(?:[*\p{L}\p{M}\p{N}._-]+|\[[0-9a-f:.ipv*]+\])$/iu.test(text.slice(at + 1));
}
