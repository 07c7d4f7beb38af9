import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

describe('the sources of the page', () => {
  it('name no other host', () => {
    const index = readFileSync(new URL('../../src/web/index.html', import.meta.url), 'utf8');
    expect(index).not.toMatch(/https?:\/\//);
  });
});
