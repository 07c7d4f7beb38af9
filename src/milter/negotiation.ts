import { MILTER_LIMITS, type MilterVersion } from './limits.ts';
import type { FromMilter } from './packets.ts';

/** What a milter may do to a message. */
// biome-ignore format: one bit a line
export const ACTIONS = {
  addHeaders:      0x001,
  changeBody:      0x002,
  addRecipients:   0x004,
  deleteRecipients: 0x008,
  changeHeaders:   0x010,
  quarantine:      0x020,
  changeSender:    0x040,
  addRecipientPar: 0x080,
  setMacroLists:   0x100,
} as const;

/** How the conversation goes: what is left out, and what gets no reply. */
// biome-ignore format: one bit a line
export const PROTOCOL = {
  noConnect:        0x00_0001,
  noHello:          0x00_0002,
  noMail:           0x00_0004,
  noRcpt:           0x00_0008,
  noBody:           0x00_0010,
  noHeaders:        0x00_0020,
  noHeadEnd:        0x00_0040,
  silentHeaders:    0x00_0080,
  noUnknown:        0x00_0100,
  noData:           0x00_0200,
  skip:             0x00_0400,
  refusedRcpt:      0x00_0800,
  silentConnect:    0x00_1000,
  silentHello:      0x00_2000,
  silentMail:       0x00_4000,
  silentRcpt:       0x00_8000,
  silentData:       0x01_0000,
  silentUnknown:    0x02_0000,
  silentHeadEnd:    0x04_0000,
  silentBody:       0x08_0000,
  leadingSpace:     0x10_0000,
} as const;

/** Larger packets, and what libmilter keeps for itself: never offered, and no reason to part where they come back. */
const IGNORED = 0x1000_0000 | 0x2000_0000 | 0x4000_0000;

/** All that each version knows. */
const OFFERS: Readonly<Record<MilterVersion, { readonly actions: number; readonly protocol: number }>> = {
  2: { actions: 0x3f, protocol: 0x7f },
  3: { actions: 0x3f, protocol: 0x17f },
  4: { actions: 0x3f, protocol: 0x37f },
  6: { actions: 0x1ff, protocol: 0x1f_ffff },
};

/** Stages that have a list of macros, by their numbers on the wire (the end of the message before that of its header). */
export const MACRO_STAGES = ['connect', 'hello', 'mail', 'rcpt', 'data', 'end', 'headEnd'] as const;

export type MacroStage = (typeof MACRO_STAGES)[number];

/** What daemon and milter have agreed on. */
export interface Agreement {
  readonly version: number;
  readonly actions: number;
  readonly protocol: number;
  /** Macros that the milter wants at a stage in place of the usual ones. */
  readonly macros: ReadonlyMap<MacroStage, readonly string[]>;
}

export type Negotiated =
  | { readonly ok: true; readonly value: Agreement }
  | { readonly ok: false; readonly why: string };

export function offerOf(version: MilterVersion): { version: number; actions: number; protocol: number } {
  return { version, ...OFFERS[version] };
}

/** Checks what a milter answers to an offer. */
export function agree(offered: MilterVersion, answer: FromMilter): Negotiated {
  if (answer.kind !== 'negotiate') return { ok: false, why: `it answered the offer with ${answer.kind}` };
  const offer = OFFERS[offered];
  const { version, actions } = answer;
  if (version < 2 || version > offered) return { ok: false, why: `it wants version ${version} of the protocol` };
  if (actions & ~offer.actions) return { ok: false, why: `it wants actions 0x${hex(actions & ~offer.actions)}` };
  const extra = answer.protocol & ~offer.protocol & ~IGNORED;
  if (extra) return { ok: false, why: `it wants bits 0x${hex(extra)} of the protocol` };
  const macros = new Map<MacroStage, readonly string[]>();
  for (const { stage, names } of answer.lists) {
    if (names.length > MILTER_LIMITS.macroListBytes) return { ok: false, why: 'its list of macros is too long' };
    const known = MACRO_STAGES[stage];
    const list = names.split(/[\s,]+/).filter((name) => name !== '');
    if (known) macros.set(known, list.slice(0, MILTER_LIMITS.macroNames));
  }
  let protocol = answer.protocol & ~IGNORED;
  if (version <= 2) protocol |= PROTOCOL.noUnknown;
  if (version <= 3) protocol |= PROTOCOL.noData;
  return { ok: true, value: { version, actions, protocol, macros } };
}

function hex(bits: number): string {
  return (bits >>> 0).toString(16);
}
