import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Config } from '../config.ts';
import { StartError } from '../errors.ts';
import { parseAddress } from '../mail/address.ts';
import { readHeaderFields, summariseFields, withoutBrackets } from '../mail/headers.ts';
import { inboxOf } from '../mail/inbox.ts';
import { createId } from '../mail/message.ts';
import type { Report } from '../mail/report.ts';
import { agentFile, BUILTIN_AGENTS } from '../responders/agent-files.ts';
import { type AgentOutcome, AgentRunner } from '../responders/agent-runner.ts';
import { whyNotToAnswer } from '../responders/loop-rules.ts';
import { composeReply } from '../responders/reply.ts';
import { EXIT } from './exit-codes.ts';
import { complain, manyLines, printBytes } from './output.ts';

/** `inboxd responder try`: what an agent makes of a mail, as the daemon would send it, or in words why it would not. */
export async function tryResponder(
  config: Config,
  agent: string,
  file: string,
  options: { readonly from?: string; readonly to?: string },
): Promise<number> {
  const { hostname, naming, responderTimeoutMs: agentMs, responderBytes: agentBytes } = config;
  const raw = file === '-' ? await buffer(process.stdin) : await readFile(file);
  const { fields } = readHeaderFields(raw);
  const { from, to } = summariseFields(fields);
  const returnPath = fields.find(({ name }) => name.toLowerCase() === 'return-path');
  const sender = options.from ?? (returnPath ? withoutBrackets(returnPath.text) : (from?.address ?? ''));
  const address = options.to ?? to[0]?.address ?? `agent@${hostname}`;
  const path = parseAddress(address);
  if (!path) throw new StartError('CONFIG_BAD_VALUE', `${JSON.stringify(address)} is no address; give --to`);
  const { inbox, tag } = inboxOf(path, naming);
  const verification = null;
  const facts = { sender, fields, inbox, address, hostname, isOwn: () => false, verification, senders: 'any' } as const;
  const reason = whyNotToAnswer(facts);
  if (reason !== undefined) complain(`a daemon would not answer this mail, whatever the agent says: ${reason}`);
  const runner = new AgentRunner({
    agentMs,
    agentBytes,
    report: (one: Report) => one.type === 'crash' && complain(String(one.error)),
    print: (_source, text) => process.stderr.write(`${manyLines(text.trimEnd())}\n`),
  });
  const id = createId();
  const envelope = { from: sender, to: [address] };
  const mail = { facts: { id, inbox, address, tag, sender, envelope, receivedAt: new Date() }, raw };
  const outcome = await runner.run(agentFile(sourceOf(agent)), mail).finally(() => runner.close());
  const answer = answerOf(outcome, agent);
  if (!answer) {
    complain('the agent gives no answer');
    return EXIT.NOTHING;
  }
  await printBytes(once(await composeReply(answer, { id, sender, address, fields, hostname })));
  return EXIT.OK;
}

function sourceOf(agent: string): string {
  const isBuiltin = BUILTIN_AGENTS.some((name) => agent === `builtin:${name}`);
  return isBuiltin ? agent : resolve(agent);
}

/** @throws StartError that says what the author of the agent has to put right */
function answerOf(outcome: AgentOutcome, agent: string): (AgentOutcome & { kind: 'answer' })['answer'] {
  switch (outcome.kind) {
    case 'answer':
      return outcome.answer;
    case 'unloadable':
      throw new StartError('RESPONDER_UNUSABLE', `agent ${agent}: ${outcome.why}`);
    case 'unfit':
      throw new StartError('RESPONDER_UNUSABLE', `agent ${agent}: its answer cannot be sent: ${outcome.why}`);
    case 'threw':
      throw new StartError(
        'RESPONDER_UNUSABLE',
        `agent ${agent}: it threw ${outcome.error.stack ?? outcome.error.message}`,
      );
    case 'late':
    case 'crashed':
      throw new StartError('RESPONDER_UNUSABLE', `agent ${agent}: ${outcome.error.message}`);
    default:
      throw new StartError('RESPONDER_UNUSABLE', `agent ${agent}: it posted a message of its own`);
  }
}

async function* once(content: Buffer): AsyncIterable<Buffer> {
  yield content;
}
