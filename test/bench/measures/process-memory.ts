import { readFileSync, writeFileSync } from 'node:fs';

/** Resident memory of a process now, in octets. */
export function residentBytes(pid: number): number {
  return statusBytes(pid, 'VmRSS');
}

/** The most that was resident at once since `forgetPeak`. */
export function peakBytes(pid: number): number {
  return statusBytes(pid, 'VmHWM');
}

export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

function statusBytes(pid: number, field: string): number {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  if (!found) throw new Error(`/proc/${pid}/status has no ${field}`);
  return Number(found[1]) * 1024;
}
