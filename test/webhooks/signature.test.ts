import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterAll, describe, expect, it } from 'vitest';
import { SecretFile } from '../../src/webhooks/secrets.ts';
import { parseSecret, signedHeaders } from '../../src/webhooks/signature.ts';

const secretOf = (letter: string): string => `whsec_${Buffer.alloc(32, letter).toString('base64')}`;
const bytesOf = (text: string): Buffer => {
  const read = parseSecret(text);
  if (!read.ok) throw new Error(read.why);
  return read.value;
};

describe('signatures', () => {
  const body = Buffer.from('{"type":"test","a":"ü"}');
  const [first, second] = [secretOf('a'), secretOf('b')];

  it('are those of the example of Standard Webhooks', () => {
    const secret = bytesOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    const example = Buffer.from('{"test": 2432232314}');
    expect(signedHeaders([secret], 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330_000, example)).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('are good for the library that others check them with, by either secret', () => {
    const headers = signedHeaders([bytesOf(first), bytesOf(second)], 'id.ci', Date.now(), body);
    for (const secret of [first, second]) {
      expect(new Webhook(secret).verify(body.toString(), { ...headers })).toEqual({ type: 'test', a: 'ü' });
    }
    expect(() => new Webhook(secretOf('c')).verify(body.toString(), { ...headers })).toThrow('No matching signature');
    expect(() => new Webhook(first).verify('{}', { ...headers })).toThrow('No matching signature');
    expect(() => new Webhook(first).verify(body.toString(), { ...headers, 'webhook-id': 'other' })).toThrow();
  });

  it('are checked by what README.md says', async () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const snippet = /```js\n(import \{ createHmac[\s\S]*?)```/.exec(readme)![1]!;
    const url = `data:text/javascript,${encodeURIComponent(snippet)}`;
    const { isGenuine } = (await import(/* @vite-ignore */ url)) as {
      isGenuine: (headers: object, body: Buffer, secret: string) => boolean;
    };
    const headers = signedHeaders([bytesOf(first), bytesOf(second)], 'id.ci', Date.now(), body);
    expect([first, second, secretOf('c')].map((secret) => isGenuine(headers, body, secret))).toEqual([
      true,
      true,
      false,
    ]);
    expect(isGenuine(headers, Buffer.from('{}'), first)).toBe(false);
    expect(isGenuine({ ...headers, 'webhook-signature': undefined }, body, first)).toBe(false);
    expect(isGenuine({ ...headers, 'webhook-timestamp': undefined }, body, first)).toBe(false);
    const old = signedHeaders([bytesOf(first)], 'id.ci', Date.now() - 600_000, body);
    expect(isGenuine(old, body, first)).toBe(false);
  });

  it('are left out where there is no secret', () => {
    expect(signedHeaders([], 'id', 1_000, body)).toEqual({ 'webhook-id': 'id', 'webhook-timestamp': '1' });
  });

  it.each([
    ['secret', 'whsec_ and base64'],
    ['whsec_', 'whsec_ and base64'],
    ['whsec_####', 'whsec_ and base64'],
    ['whsec_c2hvcnQ=', '5 octets'],
    [`whsec_${Buffer.alloc(65).toString('base64')}`, '65 octets'],
    [`whsec_${'a'.repeat(33)}`, 'not whole'],
  ])('are not made with %j', (text, why) => {
    const read = parseSecret(text);
    expect(read).toMatchObject({ ok: false });
    expect(!read.ok && read.why).toContain(why);
  });
});

describe('a file of secrets', () => {
  const folder = mkdtempSync(join(tmpdir(), 'inboxd-secrets-'));
  const path = join(folder, 'secrets');
  afterAll(() => rmSync(folder, { recursive: true }));

  it('has one in a line, the newest first, and is read again when told to', () => {
    writeFileSync(path, `# from June on\n${secretOf('b')}\n\n  ${secretOf('a')}\r\n`);
    const file = new SecretFile(path);
    expect(file.secrets).toEqual([bytesOf(secretOf('b')), bytesOf(secretOf('a'))]);
    writeFileSync(path, secretOf('c'));
    file.reload();
    expect(file.secrets).toEqual([bytesOf(secretOf('c'))]);
    writeFileSync(path, `${secretOf('d')}\nwhsec_x`);
    expect(() => file.reload()).toThrow(`line 2 of ${path} is no secret`);
    expect(file.secrets).toEqual([bytesOf(secretOf('c'))]);
  });

  it.each([
    ['', 'holds no secret'],
    ['# nothing\n', 'holds no secret'],
    ['x'.repeat(5_000), 'too long'],
  ])('of %j is refused', (text, why) => {
    writeFileSync(path, text);
    expect(() => new SecretFile(path)).toThrow(why);
  });

  it('that is not there is refused with its name', () => {
    expect(() => new SecretFile(join(folder, 'none'))).toThrow(`cannot read ${join(folder, 'none')}`);
  });
});
