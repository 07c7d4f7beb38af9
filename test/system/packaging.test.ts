import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MALLOC_ENVIRONMENT, NODE_FLAGS } from '../../src/system/heaps.ts';
import { BIN, Folder, inboxd } from '../cli/support.ts';
import { describeWithPeers } from '../support/peers.ts';
import { run } from '../support/run.ts';

const npmStart = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { scripts: { start: string } }
).scripts.start;

const printed = async (name: string): Promise<string> => (await inboxd(['print', name])).stdout;

describeWithPeers('the units for systemd', ['systemd-analyze'], ({ 'systemd-analyze': analyze }) => {
  it('are units, and leave the daemon little to do harm with', async () => {
    using folder = new Folder();
    const [service, socket] = [folder.at('inboxd.service'), folder.at('inboxd.socket')];
    writeFileSync(service, await printed('systemd-service'));
    writeFileSync(socket, await printed('systemd-socket'));
    const verified = await run(analyze, ['verify', '--man=no', service, socket]);
    expect(verified).toEqual({ code: 0, stdout: '', stderr: '' });
    // in tenths: 0 is a program that can do nothing
    const { code, stdout } = await run(analyze, ['security', '--offline=true', '--threshold=20', service]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('Overall exposure level')]);
  });
});

describeWithPeers('the configuration for logrotate', ['logrotate'], ({ logrotate }) => {
  it('is one', async () => {
    using folder = new Folder();
    const file = folder.at('inboxd');
    writeFileSync(file, await printed('logrotate'), { mode: 0o644 });
    const { code, stderr } = await run(logrotate, ['--debug', '--state', folder.at('state'), file]);
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('error')]);
  });
});

describe('inboxd print', () => {
  it('has the service, the container and npm start take no more memory than they need', async () => {
    const flags = NODE_FLAGS.join(' ');
    const { stdout: unit } = await inboxd(['print', 'systemd-service']);
    expect(unit).toContain(`ExecStart=${process.execPath} ${flags} `);
    const { stdout: dockerfile } = await inboxd(['print', 'dockerfile']);
    expect(dockerfile).toContain(`NODE_OPTIONS=${flags}`);
    expect(npmStart).toContain(`node ${flags} bin/inboxd.ts`);
    const malloc = Object.entries(MALLOC_ENVIRONMENT).map(([name, value]) => `${name}=${value}`);
    expect(unit).toContain(`Environment=${malloc.join(' ')}\n`);
    expect(dockerfile).toContain(`ENV ${malloc.join(' ')}\n`);
    expect(npmStart).toContain(malloc.join(' '));
  });

  it('is no program whose first line only some systems read', () => {
    expect(readFileSync(BIN, 'utf8').split('\n')[0]).toBe('#!/usr/bin/env node');
  });

  it('names what there is', async () => {
    const { code, stderr } = await inboxd(['print', 'nothing']);
    expect(code).toBe(1);
    expect(stderr).toBe(
      'inboxd: there is no file "nothing"; there are systemd-service, systemd-socket, dockerfile, logrotate, grafana\n',
    );
  });
});
