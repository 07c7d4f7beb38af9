import { setImmediate as turn } from 'node:timers/promises';
import { contentOf } from '../../src/mail/content.ts';
import type { Filter, MessageOpinion, Opined, Phase } from '../../src/mail/filter.ts';
import { amend, type Message } from '../../src/mail/message.ts';

/** Makes the filters that a dialogue's `@ filters` names; `test/dialogues/README.md` explains the form. */
export function scriptedFilters(script: string): Filter[] {
  return script
    .split(';')
    .map((one) => one.trim())
    .filter((one) => one !== '')
    .map(scriptedFilter);
}

function scriptedFilter(script: string): Filter {
  const [word = '', phase = '', ...rest] = script.split(' ');
  const isLate = rest[0] === 'later';
  const what = isLate ? rest.slice(1) : rest;
  let asked = 0;
  const say = (message?: Message): Opined<MessageOpinion> =>
    isLate ? turn().then(() => opinion(what, ++asked, message)) : opinion(what, ++asked, message);
  const hook = phase === 'message' ? (_visit: unknown, message: Message) => say(message) : () => say();
  return {
    name: word.replace('!', ''),
    whenFailing: word.startsWith('!') ? 'pass' : 'defer',
    [phase as Phase]: hook,
  };
}

function opinion(what: readonly string[], time: number, message?: Message): Opined<MessageOpinion> {
  const [verb, ...args] = what;
  const text = (from: number): string => args.slice(from).join(' ').replaceAll('\\r', '\r').replaceAll('\\n', '\n');
  const verdict = () => ({ code: Number(args[0]), enhanced: args[1] ?? '', text: text(2) });
  switch (verb) {
    case 'yes':
      return undefined;
    case 'refuse':
      return { verdict: verdict(), reason: 'scripted' };
    case 'hang-up':
      return { verdict: verdict(), hangUp: true };
    case 'delay':
      return { delayMs: Number(args[0]) };
    case 'discard':
      return { discard: true };
    case 'discard-second':
      return time === 2 ? { discard: true } : undefined;
    case 'throw':
      throw new Error('filter is broken');
    case 'hang':
      return new Promise(() => {});
    case 'quarantine':
      return { quarantine: text(0) };
    case 'edit': {
      const place = message!.content.at;
      const views = place.kind === 'memory' ? place.views : [];
      return { message: amend(message!, { content: contentOf([Buffer.from(text(0)), ...views]) }) };
    }
    default:
      throw new Error(`no opinion "${verb}"`);
  }
}
