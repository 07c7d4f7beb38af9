import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { answer as echo } from '../../src/responders/agents/echo.ts';
import { answer as time } from '../../src/responders/agents/time.ts';
import { agentContract, agentMail } from '../contracts/agent.ts';
import { answer as counter } from '../examples/agent-counter.ts';

agentContract('time', time);
agentContract('echo', echo);
agentContract('of the example', counter);

describe('echo', () => {
  it('quotes the text and names what came with it', async () => {
    const content = new Uint8Array(5);
    const attachments = [{ fileName: 'a.txt', contentType: 'text/plain', contentId: '', isInline: false, content }];
    expect(await echo(agentMail({ text: 'one\n> two\n\nthree\n', attachments }))).toEqual({
      text: [
        'On 2026-01-02T03:04:05.000Z <ann@there.example> wrote to <Echo+tag@here.example>:',
        '',
        '> one',
        '>> two',
        '>',
        '> three',
        '[a.txt, text/plain, 5 bytes]',
        '',
      ].join('\n'),
    });
  });
});

describe('time', () => {
  it('tells the time, first as programs read it', async () => {
    const before = Date.now();
    const given = await time(agentMail());
    const told = Date.parse(String(given?.text).split('\n')[0]!);
    expect(told).toBeGreaterThanOrEqual(before);
    expect(told).toBeLessThanOrEqual(Date.now());
  });
});

describe('the example in README.md', () => {
  it('is the one that is tried here', () => {
    const example = readFileSync(new URL('../examples/agent-counter.ts', import.meta.url), 'utf8');
    expect(readFileSync(new URL('../../README.md', import.meta.url), 'utf8')).toContain(`\`\`\`ts\n${example}\`\`\``);
  });
});
