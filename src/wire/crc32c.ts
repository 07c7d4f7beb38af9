/** The remainder of each octet for the polynomial of Castagnoli, reflected. */
const REMAINDERS = Uint32Array.from({ length: 256 }, (_, octet) => {
  let remainder = octet;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ 0x82f63b78 : remainder >>> 1;
  return remainder;
});

/** CRC-32C (RFC 9260 appendix A), which Node.js has no function for. */
export function crc32c(octets: Uint8Array): number {
  let sum = 0xffffffff;
  for (const octet of octets) sum = REMAINDERS[(sum ^ octet) & 0xff]! ^ (sum >>> 8);
  return ~sum >>> 0;
}
