import { BLOT } from './masks.ts';

/** How a candidate is written. */
export type Shape =
  | 'digits'
  /** `123 456`, `123-456`, `1 2 3 4 5 6` */
  | 'grouped'
  /** `K7QM2X`, `AB7-K9Q`, `G-123456` */
  | 'mixed'
  /** `a8f2kq`; words with digits look like it */
  | 'lower'
  /** `XKQ-PLM`, `QXWZPT`; words look like it */
  | 'letters';

/** Something in a line that is written like a code. */
export interface Candidate {
  readonly at: number;
  readonly end: number;
  /** As one would type it: groups of digits joined. */
  readonly code: string;
  readonly shape: Shape;
}

/** Candidates of one line at most; a line with more is a table of numbers. */
const PER_LINE = 64;

const SPACED = /[0-9A-Z](?: (?:[-–•·|] )?[0-9A-Z]){3,9}(?![A-Za-z0-9])/y;
const GROUPS = /\d{2,5}(?:(?: ?[-\u2010-\u2013·•] ?| )\d{2,5}){1,4}(?![A-Za-z0-9])/y;
const MIXED_GROUPS = /[A-Z0-9]{3,4} [A-Z0-9]{3,4}(?![A-Za-z0-9])/y;
const TOKEN = /[A-Za-z0-9]+(?:[-\u2010-\u2013][A-Za-z0-9]+)*/g;
/** What stands before a part of something longer: a letter and a joint, or what is blotted out. */
const JOINED_BEFORE = new RegExp(`[A-Za-z0-9${BLOT}][-./\\\\_@&=+]$|[A-Za-z0-9${BLOT}/\\\\=&@_+]$`);
const JOINED_BEHIND = new RegExp(`^(?:[A-Za-z0-9${BLOT}@]|[-./\\\\_=&+:'’][A-Za-z0-9${BLOT}]|%)`);

/** Finds what is written like a code in a masked line. */
export function findCandidates(masked: string): Candidate[] {
  const found: Candidate[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(masked); match !== null && found.length < PER_LINE; match = TOKEN.exec(masked)) {
    const at = match.index;
    const candidate = readSpaced(masked, at) ?? readGroups(masked, at) ?? readMixedGroups(masked, at);
    const whole = candidate ?? classify(match[0], at);
    if (whole === undefined || isPart(masked, whole)) continue;
    found.push(whole);
    TOKEN.lastIndex = whole.end;
  }
  return found;
}

function isPart(masked: string, { at, end }: Candidate): boolean {
  return JOINED_BEFORE.test(masked.slice(Math.max(0, at - 2), at)) || JOINED_BEHIND.test(masked.slice(end, end + 2));
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** `1 2 3 4 5 6`: one character a box. */
function readSpaced(masked: string, at: number): Candidate | undefined {
  const text = matchAt(SPACED, masked, at);
  if (text === undefined) return undefined;
  const code = text.replace(/[^0-9A-Z]/g, '');
  const digits = code.replace(/\D/g, '').length;
  if (digits === code.length) return { at, end: at + text.length, code, shape: 'grouped' };
  return { at, end: at + text.length, code, shape: digits > 0 ? 'mixed' : 'letters' };
}

/** `123 456`, `1234-5678`, `12 34 56`: groups of one size, one kind of joint. */
function readGroups(masked: string, at: number): Candidate | undefined {
  const text = matchAt(GROUPS, masked, at);
  if (text === undefined) return undefined;
  const groups = text.split(/[^\d]+/);
  const size = groups[0]!.length;
  const digits = size * groups.length;
  const joints = new Set(text.replace(/\d+/g, '.').split('.').slice(1, -1));
  const isEven = groups.every((group) => group.length === size) && joints.size === 1;
  const isLong = digits >= 6 && digits <= 10 && (size > 2 || groups.length > 2);
  if (!isEven || !isLong) return undefined;
  return { at, end: at + text.length, code: groups.join(''), shape: 'grouped' };
}

/** `AB7 K9Q`: letters and digits in both. */
function readMixedGroups(masked: string, at: number): Candidate | undefined {
  const text = matchAt(MIXED_GROUPS, masked, at);
  if (text === undefined) return undefined;
  const [one = '', other = ''] = text.split(' ');
  if (one.length !== other.length || ![one, other].every((group) => /\d/.test(group) && /[A-Z]/.test(group))) {
    return undefined;
  }
  return { at, end: at + text.length, code: one + other, shape: 'mixed' };
}

/** Words of digits and letters that are known to be something else. */
const KNOWN = new RegExp(
  '^(?:\\d+[a-z]{1,2}|[a-z]{1,2}\\d{1,3}|(?:mp|h|x|utf|iso|rfc|es|sha|md|win|ios|covid|web|b2|fy|q[1-4]|cve|kw|vol|http|ipv|' +
    'html|css|din|en|bs|type|usb|hdmi|gpt|base|level|top|room|gate|part|step|zone|ps|rtx|gtx|core|room|inv|po|ord|ups|sku|rma|' +
    'case|tkt|inc|req|ref|re|rg|ab|so|kd|bk|inst|doc|order|invoice|nr|no|id|ticket|bug|jira|issue|pr|build)-?\\d[\\d-]*[a-z]?)$',
  'i',
);
const PREFIXED = /^[A-Z]{1,3}-\d{4,8}$/;

/** Reads one word, hyphens included. */
function classify(word: string, at: number): Candidate | undefined {
  const end = at + word.length;
  if (/^\d+$/.test(word)) {
    return word.length >= 4 && word.length <= 10 ? { at, end, code: word, shape: 'digits' } : undefined;
  }
  if (word.length < 4 || word.length > 24 || KNOWN.test(word)) return undefined;
  const code = word.replace(/[\u2010-\u2013]/g, '-');
  if (PREFIXED.test(code)) return { at, end, code, shape: 'mixed' };
  const groups = code.split('-');
  if (groups.length > 4 || groups.some((group) => group.length < 2 || group.length > 10)) return undefined;
  const plain = groups.join('');
  if (plain.length < 4 || plain.length > 20) return undefined;
  if (!/\d/.test(plain)) return readLetters(code, groups, at, end);
  if (!/[A-Za-z]/.test(plain)) return undefined; // uneven groups of digits
  if (/^[A-Z0-9]+$/.test(plain)) return { at, end, code, shape: 'mixed' };
  return groups.length === 1 && isJumbled(plain) ? { at, end, code, shape: 'lower' } : undefined;
}

/** Digits in more places than at one end, or small and capital letters without order: no word of any language. */
function isJumbled(word: string): boolean {
  return (
    word.length >= 5 && (/\d[A-Za-z]+\d|[A-Za-z]\d+[A-Za-z]/.test(word) || /[a-z][A-Z].*\d|\d.*[a-z][A-Z]/.test(word))
  );
}

/** Capitals only: equal groups, or one group that nobody could say. */
function readLetters(code: string, groups: readonly string[], at: number, end: number): Candidate | undefined {
  if (!/^[A-Z-]+$/.test(code)) return undefined;
  const size = groups[0]!.length;
  const vowels = code.replace(/[^AEIOUY]/g, '').length;
  const letters = code.replaceAll('-', '').length;
  const isCode =
    groups.length > 1
      ? size >= 3 && groups.every((group) => group.length === size)
      : letters >= 5 && letters <= 10 && vowels * 4 <= letters;
  return isCode ? { at, end, code, shape: 'letters' } : undefined;
}
