import type { Config } from './config.ts';
import type { MtaStsPolicy } from './http/mta-sts.ts';

/** The policy that a configuration asks for. */
export function mtaStsPolicy({ mtaSts, mtaStsMode, mtaStsMx, mtaStsMaxAgeMs, hostname }: Config): MtaStsPolicy {
  const mx = mtaStsMx.length > 0 ? mtaStsMx : [hostname];
  return { domains: mtaSts, mode: mtaStsMode, mx, maxAgeMs: mtaStsMaxAgeMs };
}
