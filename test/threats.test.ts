/**
 * Holes that receivers like this one had. Each has a name here, and at least one test whose title begins with it and
 * shows that the hole is closed: "SMTP smuggling: ...".
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const HERE = new URL('./', import.meta.url);

const THREATS = [
  'SMTP smuggling', // CVE-2023-51764, -51765, -51766, VU#302671: something other than CR LF . CR LF ended the message
  'Outbound smuggling', // bare CR or LF stored and later relayed as it was
  'STARTTLS injection', // CVE-2011-0411, NO STARTTLS, CVE-2021-38371: plain text kept across the upgrade
  'Half-cleared state', // an error, BDAT or a refusing sink left sender or recipients behind
  'BDAT desync', // the payload of a refused chunk ran as commands
  'Unbounded input', // GHSA-w878, -r553, -fpxj of Mailpit: an endless line or a discarded message, read or kept for ever
  'Unread replies', // 12 MB of HELP and never a read; all replies were kept in memory
  'Prototype keys', // CVE-2026-34752: a header or parameter called __proto__
  'Shell and path', // CVE-2016-1000282, CVE-2020-7247, CVE-2024-27448, GHSA-qx5x: a name reached a shell or a path
  'Metadata injection', // GHSA-54wq: newline or NUL in envelope, trace, log or reply
  'MIME and regex bombs', // CVE-2025-14874, GHSA-9h6g, CVE-2026-26312, CVE-2020-12100: parsing took minutes or gigabytes
  'Malformed trivia', // CVE-2020-10957, -10958, -10967: malformed NOOP, a million newlines, ""@d crashed
  'PROXY and XCLIENT', // header unbounded, from anybody, crash on `PROXY TCP4` or on reset
  'Cross-protocol', // ALPACA: the body of an HTTP POST ran as SMTP
  'Server-side requests', // the daemon calls where a client says: ports of others scanned, services reached that only it can reach
  'Dead sockets', // RST, FIN or a stall left a timer or a descriptor
  'TLS tickets across listeners', // the policy of one listener passed by on another
  'Sink or milter text', // several lines or controls broke the grammar of replies
  'Viewer', // CVE-2026-22689, CVE-2026-21859, GHSA-mpf7, -6jxm, -w4mc, -75mr: cross-site reading, SSRF, image bombs, XSS
  'CORS', // any page could read the inbox
  '250, then lost', // acknowledged and dropped on a parse error
  'Retention that does not bound', // once a minute, some thousand at a time
  'Size checked only when declared', // memory exhausted by what was not declared, or checked after reading all
  'Dotted lines', // an event-loop turn each: 2 MB/s of CPU burnt
] as const;

/** Titles of tests and suites in the tree. */
const TITLES = readdirSync(HERE, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts') && name !== 'threats.test.ts')
  .flatMap((name) => {
    const code = readFileSync(new URL(name, HERE), 'utf8');
    const call =
      /\b(?:it|test|describe|describeWithPeers|describeAsRoot)(?:\.\w+\([^`]*?\))*\(\s*(?:'((?:[^'\\]|\\.)*)'|`([^`]*)`)/g;
    return [...code.matchAll(call)].map(([, plain, template]) => plain ?? template ?? '');
  });

describe('threats', () => {
  it.each(THREATS)('%s: a test bears its name', (name) => {
    expect(TITLES.filter((title) => title.startsWith(`${name}: `))).not.toEqual([]);
  });
});
