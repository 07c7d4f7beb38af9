import { answerJobs } from '../../mail/killable-thread.ts';
import { checkHtml, type HtmlCheck } from './html-check.ts';
import { findLinks } from './mail-links.ts';

/** Entry of the thread that reads the HTML of mails. */

export type CheckJob =
  | { readonly kind: 'html'; readonly html: string }
  | { readonly kind: 'links'; readonly html: string; readonly text: string };
export type CheckResult = { readonly html: HtmlCheck } | { readonly links: readonly string[] };

answerJobs<CheckJob, CheckResult>((job) =>
  job.kind === 'html' ? { html: checkHtml(job.html) } : { links: findLinks(job.html, job.text) },
);
