import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PUBLIC_REACH } from '../../../src/http/checks/head-request.ts';
import { LinkChecker, type LinkCheckLimits } from '../../../src/http/checks/link-check.ts';
import { findLinks } from '../../../src/http/checks/mail-links.ts';
import { THROTTLE, Throttle } from '../../../src/http/checks/throttle.ts';
import type { Reach } from '../../../src/outbound/pinned-request.ts';
import { isPublicAddress } from '../../../src/outbound/public-address.ts';

describe('Viewer: an address', () => {
  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '93.184.216.34',
    '100.63.255.255',
    '100.128.0.0',
    '169.253.255.255',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.0',
    '198.17.255.255',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2a00:1450:4001:81b::200e',
    '2001:4860:4860::8888',
  ])('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    ['this network', '0.0.0.0', '0.1.2.3'],
    ['private', '10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1'],
    ['shared (CGNAT)', '100.64.0.1', '100.100.100.200', '100.127.255.255'],
    ['loopback', '127.0.0.1', '127.255.255.254', '::1', '0:0:0:0:0:0:0:1'],
    ['link-local', '169.254.0.1', '169.254.169.254', 'fe80::1', 'fe80::1%eth0', 'febf::1'],
    ['cloud metadata', '168.63.129.16', '192.0.0.192', 'fd00:ec2::254'],
    ['documentation', '192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'],
    ['protocol assignments', '192.0.0.1', '192.0.0.170', '2001::1', '2001:10::1', '2001:20::1', '2001:2::1'],
    ['benchmarks', '198.18.0.1', '198.19.255.255'],
    ['multicast', '224.0.0.1', '239.255.255.255', 'ff02::1', 'ff0e::1'],
    ['reserved, broadcast', '240.0.0.1', '255.255.255.255'],
    ['AS112, AMT, 6to4 relays', '192.31.196.1', '192.52.193.1', '192.88.99.1', '192.175.48.1', '2620:4f:8000::1'],
    ['unspecified', '::', '0:0:0:0:0:0:0:0'],
    ['unique local, site-local', 'fc00::1', 'fd12:3456::1', 'fec0::1'],
    ['IPv4-mapped', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:8.8.8.8', '::ffff:0:8.8.8.8'],
    ['IPv4-compatible', '::127.0.0.1', '::8.8.8.8'],
    ['NAT64', '64:ff9b::127.0.0.1', '64:ff9b::7f00:1', '64:ff9b:1::10.0.0.1', '64:ff9b::8.8.8.8'],
    ['6to4', '2002:7f00:1::', '2002:a9fe:a9fe::1', '2002:808:808::1'],
    ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
    ['ISATAP', '2606:4700::5efe:10.0.0.1', '2606:4700::200:5efe:7f00:1', '2606:4700:0:0:0:5efe:a00:1'],
    ['discard only', '100::1'],
    ['not allocated', '4000::1', '1::1', '5f00::1'],
    ['none', '', 'localhost', '127.1', '0x7f000001', '2130706433', '8.8.8.8:80', '[::1]', '1.1.1.1 '],
  ])('that is %s is not public', (_name, ...addresses) => {
    for (const address of addresses) expect(isPublicAddress(address), address).toBe(false);
  });
});

describe('Viewer: a link to what is not public', () => {
  let asked: string[];
  const checker = () =>
    new LinkChecker({
      version: '0',
      limits: { requestMs: 2_000, totalMs: 5_000 },
      reach: {
        allows: isPublicAddress,
        resolve: async (host) => {
          asked.push(host);
          return NAMES[host] ?? [];
        },
      },
    });
  const NAMES: Record<string, readonly string[]> = {
    'inside.example': ['10.0.0.7'],
    'loop.example': ['127.0.0.1'],
    'loop6.example': ['::1'],
    'mapped.example': ['::ffff:127.0.0.1'],
    'both.example': ['93.184.216.34', '127.0.0.1'],
    localhost: ['127.0.0.1', '::1'],
    'metadata.google.internal': ['169.254.169.254'],
  };
  beforeEach(() => {
    asked = [];
  });

  it.each([
    'http://127.0.0.1/',
    'http://127.1/',
    'http://127.0.1/',
    'http://0/',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0x7f.0.0.1/',
    'http://0X7F.1/',
    'http://017700000001/',
    'http://0177.0.0.1/',
    'http://0177.0x0.0.01/',
    'http://127.0.0.1./',
    'http://%31%32%37.0.0.1/',
    'http://１２７.０.０.１/',
    'http://①②⑦.⓪.⓪.①/',
    'http://127。0。0。1/',
    'http:\\\\127.0.0.1\\',
    'http:/127.0.0.1/',
    'http://127.0.0.1:8080/',
    'http://169.254.169.254/latest/meta-data/',
    'http://2852039166/',
    'http://0xa9fea9fe/',
    'http://10.0.0.1/',
    'http://3232235521/',
    'https://192.168.0.1/',
    'http://100.100.100.200/',
    'http://[::1]/',
    'http://[::]/',
    'http://[0:0:0:0:0:0:0:1]:8080/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[64:ff9b::169.254.169.254]/',
    'http://[2002:7f00:1::]/',
    'http://[fe80::1]/',
    'http://[fd00:ec2::254]/',
    'http://[ff02::1]/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
    'http://localhost/',
    'http://LOCALHOST/',
    'http://inside.example/',
    'http://loop.example/',
    'http://loop6.example/',
    'http://mapped.example/',
    'http://both.example/',
    'http://metadata.google.internal/computeMetadata/v1/',
  ])('%s is blocked', async (link) => {
    expect(await checker().check([link], true)).toEqual({
      Errors: 1,
      Links: [{ URL: link, StatusCode: 451, Status: 'Blocked private/reserved address' }],
    });
  });

  it.each([
    ['http://user:secret@93.184.216.34/', 'invalid URL'],
    ['http://user@127.0.0.1/', 'invalid URL'],
    ['ftp://93.184.216.34/', 'invalid URL'],
    ['file:///etc/passwd', 'invalid URL'],
    ['http://', 'invalid URL'],
    ['http://[fe80::1%25eth0]/', 'invalid URL'],
    ['http://256.256.256.256/', 'invalid URL'],
    ['http://93.184.216.34:25/', 'port 25 is not tried'],
    ['https://93.184.216.34:22/', 'port 22 is not tried'],
    ['http://nowhere.example/', 'no such host'],
  ])('%s is not tried: %s', async (link, why) => {
    expect(await checker().check([link], true)).toEqual({
      Errors: 1,
      Links: [{ URL: link, StatusCode: 0, Status: why }],
    });
  });

  it('is judged by an address: no name is asked for where an address stands', async () => {
    await checker().check(['http://127.1/', 'http://[::1]/'], true);
    expect(asked).toEqual([]);
  });
});

describe('Viewer: links tried against a server', () => {
  let server: Server;
  let port: number;
  let heads: IncomingMessage[] = [];
  let answer: (request: IncomingMessage, response: ServerResponse) => void;

  beforeAll(async () => {
    server = createServer((request, response) => {
      heads.push(request);
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  beforeEach(() => {
    heads = [];
    answer = (_request, response) => response.end();
  });

  /** Takes this machine for the public internet, and nothing else. */
  const here: Reach = { allows: (address) => address === '127.0.0.1', resolve: async () => ['127.0.0.1'] };
  const checker = (limits: Partial<LinkCheckLimits> = {}, reach = here, throttle = new Throttle()) =>
    new LinkChecker({ version: '1.2', limits: { requestMs: 5_000, totalMs: 10_000, ...limits }, reach, throttle });
  const at = (path: string, host = 'shop.example') => `http://${host}:${port}${path}`;

  it('asks by HEAD, under the name of the link, and tells the status', async () => {
    answer = (request, response) => response.writeHead(request.url === '/gone?a=1' ? 410 : 204).end();
    const { Errors, Links } = await checker().check([at('/gone?a=1'), at('/ok#part')], false);
    expect(Errors).toBe(1);
    expect(Links).toEqual([
      { URL: at('/gone?a=1'), StatusCode: 410, Status: 'Gone' },
      { URL: at('/ok#part'), StatusCode: 204, Status: 'No Content' },
    ]);
    expect(heads.map(({ method, url }) => [method, url]).sort()).toEqual([
      ['HEAD', '/gone?a=1'],
      ['HEAD', '/ok'],
    ]);
    expect(heads[0]?.headers).toMatchObject({ host: `shop.example:${port}`, 'user-agent': 'inboxd/1.2' });
  });

  it('connects to the address that was judged, whatever the name means later', async () => {
    const answers = [['127.0.0.1'], ['10.0.0.1']];
    const reach: Reach = { ...here, resolve: async () => answers.shift() ?? [] };
    expect((await checker({}, reach).check([at('/')], false)).Links[0]?.StatusCode).toBe(200);
    expect(answers).toHaveLength(1);
  });

  it('drops a connection whose other end is not the one that was judged', async () => {
    let judged = 0;
    const reach: Reach = { ...here, allows: () => judged++ === 0 };
    expect((await checker({}, reach).check([at('/')], false)).Links[0]?.StatusCode).toBe(451);
    expect(judged).toBe(2);
  });

  it('tells a redirect, and follows it only when asked to', async () => {
    answer = (request, response) =>
      request.url === '/a' ? response.writeHead(302, { location: '/b' }).end() : response.writeHead(404).end();
    expect((await checker().check([at('/a')], false)).Links[0]?.StatusCode).toBe(302);
    expect((await checker().check([at('/a')], true)).Links[0]?.StatusCode).toBe(404);
  });

  it.each([
    ['http://10.0.0.1/', 451],
    ['http://0x0a000001/', 451],
    ['//[::1]/', 451],
    ['http://user:x@shop.example/', 0],
    ['file:///etc/passwd', 0],
    ['http://shop.example:22/', 0],
    ['http://[', 0],
  ])('judges where a redirect leads: %s', async (location, status) => {
    answer = (_request, response) => response.writeHead(301, { location }).end();
    expect((await checker().check([at('/')], true)).Links[0]?.StatusCode).toBe(status);
    expect(heads).toHaveLength(1);
  });

  it('follows no more than three redirects', async () => {
    answer = (request, response) => response.writeHead(307, { location: `${request.url}x` }).end();
    const { Links } = await checker().check([at('/')], true);
    expect(Links[0]).toMatchObject({ StatusCode: 0, Status: 'too many redirects' });
    expect(heads).toHaveLength(4);
  });

  it('waits no longer than it may for a reply, nor for all of them', async () => {
    answer = () => {};
    expect((await checker({ requestMs: 50 }).check([at('/')], false)).Links[0]).toMatchObject({
      StatusCode: 0,
      Status: 'timed out',
    });
    const { Links } = await checker({ totalMs: 50 }).check([at('/1'), at('/2'), at('/3'), at('/4')], false);
    expect(Links.map(({ Status }) => Status)).toEqual(Array(4).fill('timed out'));
  });

  it('tells why nobody answered', async () => {
    answer = (request) => request.socket.destroy();
    expect((await checker().check([at('/')], false)).Links[0]).toMatchObject({ StatusCode: 0 });
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const free = (closed.address() as AddressInfo).port;
    await new Promise((resolve) => closed.close(resolve));
    expect((await checker().check([`http://x.example:${free}/`], false)).Links[0]).toMatchObject({
      StatusCode: 0,
      Status: 'connection refused',
    });
  });

  it('reads no more of a head than it has to', async () => {
    answer = (_request, response) => response.writeHead(200, { 'x-long': 'x'.repeat(100_000) }).end();
    expect((await checker().check([at('/')], false)).Links[0]?.StatusCode).toBe(0);
  });

  it('answers from what it found a moment ago', async () => {
    const one = checker();
    await one.check([at('/')], false);
    await one.check([at('/'), at('/')], false);
    expect(heads).toHaveLength(1);
  });

  it('has no more than two requests under way to a domain, its subdomains included', async () => {
    let underWay = 0;
    let most = 0;
    answer = (_request, response) => {
      most = Math.max(most, ++underWay);
      setImmediate(() => {
        underWay--;
        response.end();
      });
    };
    const links = Array.from({ length: 20 }, (_, index) => at(`/${index}`, `host${index}.shop.example`));
    const { Errors } = await checker().check(links, false);
    expect([Errors, heads.length]).toEqual([0, 20]);
    expect(most).toBeLessThanOrEqual(2);
  });

  it('stops asking a domain that has been asked enough, until time has passed', async () => {
    let now = 0;
    const throttle = new Throttle({ ...THROTTLE, burst: 2 }, () => now);
    const one = checker({}, here, throttle);
    const statuses = async (path: string) =>
      (
        await one.check(
          [1, 2, 3].map((n) => at(`/${path}${n}`)),
          false,
        )
      ).Links.map(({ Status }) => Status);
    expect(await statuses('a')).toEqual(['OK', 'OK', 'rate limited']);
    now = 1_000;
    expect(await statuses('b')).toEqual(['OK', 'rate limited', 'rate limited']);
    expect((await one.check([at('/', 'other.example.net')], false)).Errors).toBe(0);
  });

  it('forgets domains before they fill the memory', async () => {
    const throttle = new Throttle({ ...THROTTLE, domains: 3, burst: 1 }, () => 0);
    const signal = new AbortController().signal;
    for (let n = 0; n < 100; n++) expect(await throttle.run(`d${n}.test`, signal, async () => n)).toBe(n);
  });

  it('ends what is under way when it closes', async () => {
    const one = checker();
    answer = () => one.close();
    expect((await one.check([at('/')], false)).Links[0]?.StatusCode).toBe(0);
  });
});

describe('without a network', () => {
  it('has an answer for every link', async () => {
    const reach: Reach = {
      ...PUBLIC_REACH,
      resolve: () => Promise.reject(Object.assign(new Error('x'), { code: 'ESERVFAIL' })),
    };
    const { Errors, Links } = await new LinkChecker({ version: '0', reach }).check(
      ['http://a.example/', 'https://b.example/'],
      true,
    );
    expect(Errors).toBe(2);
    expect(Links.map(({ StatusCode }) => StatusCode)).toEqual([0, 0]);
    expect(Links[0]?.Status).toContain('ESERVFAIL');
  });
});

describe('the links of a mail', () => {
  it('are those of its HTML, then those of its text, each once', () => {
    const html = `
      <a href="https://a.example/1">x</a> <A HREF=' https://a.example/2 '>y</A> <a href="/relative"></a>
      <a href="mailto:x@a.example"></a> <a href="javascript:alert(1)"></a> <a href="https://a.example/1">again</a>
      <link rel="stylesheet" href="https://a.example/3"><link rel="icon" href="https://a.example/no">
      <img src="http://a.example/4?x=1&amp;y=2"><img src="cid:x"><!-- <a href="https://a.example/no"> -->
      <script src="https://a.example/no"></script>`;
    const text = `See https://a.example/5. Or (https://a.example/6), <https://a.example/
      long> https://a.example/wiki_(x)! "https://a.example/7" https://a.example/1 xhttp://no.example ftp://a.example/no`;
    expect(findLinks(html, text)).toEqual([
      'https://a.example/1',
      'https://a.example/2',
      'https://a.example/3',
      'http://a.example/4?x=1&y=2',
      'https://a.example/5',
      'https://a.example/6',
      'https://a.example/long',
      'https://a.example/wiki_(x)',
      'https://a.example/7',
    ]);
  });

  it('are no more than a hundred, none of them endless', () => {
    const many = Array.from({ length: 300 }, (_, n) => `https://a.example/${n}`).join(' ');
    expect(findLinks('', many)).toHaveLength(100);
    expect(findLinks('', `https://a.example/${'x'.repeat(5_000)}`)).toEqual([]);
    expect(findLinks('', '<https://'.repeat(100_000))).toHaveLength(0);
  });
});
