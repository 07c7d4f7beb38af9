/**
 * Mail for test suites: `import { startInbox } from 'inboxd/testing'`.
 *
 * A daemon in the process of the tests, which keeps nothing on disk and takes mail for any address on a free port.
 */
export type { Code } from './mail/codes.ts';
export type { Link, LinkKind } from './mail/links.ts';
export type { Address } from './mail/store.ts';
export { type InboxOptions, startInbox, type TestInbox } from './testing/inbox.ts';
export type { Attachment, TestMessage } from './testing/message.ts';
export type { Wanted } from './testing/wanted.ts';
