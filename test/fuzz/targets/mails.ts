import { checkHtml } from '../../../src/http/checks/html-check.ts';
import { findLinks as findCheckedLinks } from '../../../src/http/checks/mail-links.ts';
import { imageSize } from '../../../src/http/images/image-size.ts';
import { safeType } from '../../../src/http/media-type.ts';
import { attachmentDisposition, disposition, safeFileName } from '../../../src/http/native/disposition.ts';
import { filterHtml } from '../../../src/http/native/html-filter.ts';
import { parseAddressList } from '../../../src/mail/address-list.ts';
import { findCodes } from '../../../src/mail/codes.ts';
import { decodeWords } from '../../../src/mail/encoded-words.ts';
import { readHeaderFields, scanSummary } from '../../../src/mail/headers.ts';
import { htmlToText } from '../../../src/mail/html-text.ts';
import { findLinks } from '../../../src/mail/links.ts';
import { readListUnsubscribe } from '../../../src/mail/list-unsubscribe.ts';
import { parseMailDate } from '../../../src/mail/mail-date.ts';
import { summarise } from '../../../src/mail/mime.ts';
import { openMail } from '../../../src/mail/opened-mail.ts';
import { openPlainly } from '../../../src/mail/plain-mail.ts';
import { readVisibleText } from '../../../src/mail/visible-text.ts';
import { spacedWords, wordsOf } from '../../../src/mail/words.ts';
import { searchedHeaders } from '../../../src/store/sqlite/header-text.ts';
import { pick } from '../../support/random.ts';
import { mails, mutate, noise, small, text } from '../generate.ts';
import { Finding, sound, type Target } from '../target.ts';

let corpus: readonly Buffer[] | undefined;
const all = (): readonly Buffer[] => (corpus ??= mails());

function mutated(random: () => number): Buffer {
  const base = random() < 0.05 ? noise(random, 4_000) : pick(random, all());
  return mutate(random, base, all());
}

const FIELD_BREAK = /[\r\n\0]/;

/** Whole mails, taken apart as for a reader and for the search. */
export const mime: Target = {
  name: 'mime',
  share: 0.8,
  deadlineMs: 5_000,
  async run(random) {
    const raw = mutated(random);
    try {
      const opened = await openMail(raw);
      const brief = await summarise(raw);
      if (brief.subject !== opened.subject)
        throw new Finding('list and reader disagree on the subject', raw.toString('latin1'));
      for (const part of opened.parts) {
        sound(raw.toString('latin1'), () => {
          imageSize(part.content);
          const type = safeType(part.contentType);
          const fields = [
            disposition(part.contentType, part.fileName, 'x'),
            attachmentDisposition(part.fileName, 'x'),
            type,
          ];
          for (const field of fields)
            if (FIELD_BREAK.test(field)) throw new Finding(`a field ${JSON.stringify(field)}`, raw.toString('latin1'));
          const name = safeFileName(part.fileName);
          if (/[/\\\0]/.test(name) || name === '..')
            throw new Finding(`a file name ${JSON.stringify(name)}`, raw.toString('latin1'));
        });
      }
    } catch (error) {
      if (error instanceof Finding) throw error;
      throw new Finding(`threw ${(error as Error).stack}`, raw.toString('latin1'), { cause: error });
    }
  },
};

/** Header fields and what stands in them. */
export const headers: Target = {
  name: 'headers',
  share: 20,
  deadlineMs: 500,
  run(random) {
    const raw = random() < 0.5 ? mutated(random).subarray(0, 8_192) : Buffer.from(text(random, 20));
    sound(raw.toString('latin1'), () => {
      scanSummary(raw);
      searchedHeaders(raw);
      if (random() < 0.1) openPlainly(raw);
      for (const { name, text: value } of readHeaderFields(raw).fields.slice(0, 20)) {
        decodeWords(value);
        parseAddressList(value);
        parseMailDate(value);
        readListUnsubscribe(value, name);
        wordsOf(value);
        spacedWords(value);
      }
    });
  },
};

/** HTML without a page around it: text, codes, links, filter, check. */
export const html: Target = {
  name: 'html',
  share: 2,
  deadlineMs: 2_000,
  async run(random) {
    const base = all()[Math.floor(random() * all().length)]!.toString();
    const from = base.search(/<(?:html|body|table|div|p|a)\b/i);
    const source =
      from >= 0 && random() < 0.7 ? mutate(random, Buffer.from(base.slice(from)), all()).toString() : text(random, 40);
    sound(source, () => {
      htmlToText(source);
      readVisibleText(source, { characters: 100_000, anchors: 100 });
      const mail = { subject: source.slice(0, 80), text: source.slice(0, 20_000), html: source };
      for (const { code } of findCodes(mail)) {
        if (/\s/.test(code)) throw new Finding(`a code ${JSON.stringify(code)}`, source);
      }
      for (const { url } of findLinks({
        text: mail.text,
        html: source,
        listUnsubscribe: readListUnsubscribe(source.slice(0, 200), ''),
      })) {
        if (!/^(?:https?|mailto):/i.test(url)) throw new Finding(`a link ${JSON.stringify(url)}`, source);
      }
      if (random() < 0.3) checkHtml(source);
      findCheckedLinks(source, source.slice(0, small(random, 10_000)));
    });
    const filtered = await filterHtml(source, { picture: () => undefined });
    if (
      /<(?:script|iframe|object|embed|base|form|meta\s+http-equiv)\b/i.test(filtered) ||
      /\son\w+\s*=\s*["']/i.test(tagsOf(filtered))
    ) {
      throw new Finding(`the filter gave ${filtered.slice(0, 2_000)}`, source);
    }
  },
};

/** The tags alone: text may say `onclick="` as it likes. */
function tagsOf(document: string): string {
  return (document.match(/<[a-z][^>]*>/gi) ?? []).join('').replace(/"[^"]*"/g, '""');
}
