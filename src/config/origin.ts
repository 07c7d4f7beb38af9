import { flagOf, variableOf } from './options.ts';

/** Where a value came from. A later source wins: default, profile, file, environment, flag, program. */
export type Origin =
  | { readonly source: 'default' }
  | { readonly source: 'profile'; readonly profile: string }
  | { readonly source: 'file'; readonly path: string }
  | { readonly source: 'environment'; readonly variable: string }
  | { readonly source: 'flag'; readonly flag: string }
  | { readonly source: 'program' };

const RANK = ['default', 'profile', 'file', 'environment', 'flag', 'program'];

export const DEFAULT: Origin = Object.freeze({ source: 'default' });
export const PROGRAM: Origin = Object.freeze({ source: 'program' });

export function flagOrigin(key: string, raw?: unknown): Origin {
  return { source: 'flag', flag: flagOf(raw === false ? `no-${key}` : key) };
}

export function variableOrigin(key: string): Origin {
  return { source: 'environment', variable: variableOf(key) };
}

/** Says where a value stood, for people. */
export function describeOrigin(origin: Origin): string {
  if (origin.source === 'profile') return `profile ${origin.profile}`;
  if (origin.source === 'file') return `file ${origin.path}`;
  if (origin.source === 'environment') return `variable ${origin.variable}`;
  if (origin.source === 'flag') return `flag ${origin.flag}`;
  return origin.source;
}

/** True if a value of the one origin wins over a value of the other. */
export function isLater(origin: Origin, other: Origin): boolean {
  return RANK.indexOf(origin.source) > RANK.indexOf(other.source);
}
