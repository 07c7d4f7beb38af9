import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { findPeer } from '../../support/program.ts';

/** The browser of the system, told to ask nobody for anything by itself. */
export function openBrowser(flags: readonly string[] = []): Promise<Browser> {
  const executablePath = findPeer('chromium');
  if (executablePath === undefined) throw new Error('no chromium on this machine');
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...flags,
    ],
  });
}

export interface Screen {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: 'light' | 'dark';
  readonly locale?: string;
}

export function openContext(browser: Browser, screen: Screen = {}): Promise<BrowserContext> {
  const { width = 1280, height = 820, theme = 'light', locale = 'en-GB' } = screen;
  return browser.newContext({ viewport: { width, height }, colorScheme: theme, locale, reducedMotion: 'reduce' });
}
