/** Sockets with several owners or without one, duplicates, and processes that exit during a scan. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { type Exporter, startExporter } from '../support/exporter.js';
import { quietPort, until } from '../support/live.js';
import { rootOnly } from '../support/needs.js';
import { createProgram, type Told, toldOf } from '../support/program.js';
import type { Scrape } from '../support/text-format.js';
import { createWorld, type Filebeat } from '../support/world.js';

const world = createWorld('shared-');
let exporter: Exporter;
before(async () => {
  exporter = await startExporter();
  // On a busy machine the first scan could still be running, so the report would be older than the Filebeat.
  await exporter.scrape();
});
after(async () => {
  await world.end();
  await exporter?.stop();
});

const codesOf = (scrape: Scrape, { config }: Pick<Filebeat, 'config'>) =>
  scrape.all('filebeat_mismatch', { config }).map(({ labels }) => labels.get('code'));

/** Status and owners. */
function portOf(scrape: Scrape, { config }: Pick<Filebeat, 'config'>) {
  const { labels } = scrape.one('filebeat_port_info', { config });
  const up = scrape.value('filebeat_port_up', { config });
  return [up, labels.get('status'), labels.get('owner_pid'), labels.get('owner_process')];
}

describe('a child that inherited a socket', () => {
  it('is reported as the owner of its dead parent’s socket, which blocks the next Filebeat', async () => {
    const host = `127.0.0.1:${await quietPort()}`;
    const parent = await world.filebeat('parent', [host]);
    const child = await parent.fork({ file: '/bin/sleep', argv: ['sleep', '600'] });
    assert.deepEqual(portOf(await exporter.scrape(), parent), [1, 'listening', `${parent.pid}`, 'filebeat']);

    await parent.kill();
    const orphaned = await exporter.scrape();
    assert.deepEqual(portOf(orphaned, parent), [0, 'instance_down', `${child}`, 'sleep']);
    assert.deepEqual(codesOf(orphaned, parent), ['instance_down']);

    const next = await world.filebeat('parent', [host]);
    assert.deepEqual([...next.failures.values()], ['EADDRINUSE']);
    const blocked = await exporter.scrape();
    assert.deepEqual(portOf(blocked, next), [0, 'taken', `${child}`, 'sleep']);
    assert.deepEqual(codesOf(blocked, next), ['port_taken']);
    const { mismatches } = await exporter.status();
    const told = mismatches.find(({ config, code }) => config === next.config && code === 'port_taken')!;
    assert.ok(told.seen.includes(`${child}`) && told.seen.includes('sleep'), told.seen);

    process.kill(child, 'SIGKILL');
    await until('the port is free', async () => next.bind(`udp ${host}`).catch(() => undefined));
    assert.deepEqual(portOf(await exporter.scrape(), next), [1, 'listening', `${next.pid}`, 'filebeat']);
  });
});

describe('a duplicate on the same port, by SO_REUSEPORT', () => {
  it('of another process is reported with that process; the port is up', async () => {
    const port = await quietPort();
    const one = await world.filebeat('with-duplicate', [], {
      text: `filebeat.inputs:\n- {type: udp, host: "127.0.0.1:${port}"}\noutput.console.enabled: true\n`,
    });
    await one.bind(`udp 127.0.0.1:${port}`, { reusePort: true });
    assert.deepEqual(codesOf(await exporter.scrape(), one), []);
    const duplicate = await world.process({ argv: ['/usr/bin/duplicate'] });
    await duplicate.bind(`udp 127.0.0.1:${port}`, { reusePort: true });
    // Full descriptor scans are rate limited; a new exporter may do one at once.
    const program = createProgram();
    const told = toldOf(await program.scan(), one.config)!;
    program.end();
    assert.deepEqual(tell(told), [true, one.pid, ['listening'], ['port_taken']]);
    const { cause } = told.mismatches[0]!;
    assert.ok(cause.kind === 'shared-with' && cause.owner.pid === duplicate.pid && cause.owner.comm === 'duplicate');
    assert.equal((await exporter.scrape()).value('filebeat_port_up', { config: one.config }), 1);
    await duplicate.kill();
    assert.deepEqual(codesOf(await exporter.scrape(), one), []);
  });
});

describe('addresses in the kernel’s notation', () => {
  for (const [what, host, bound] of [
    ['::1', '[::1]', '[::1]'],
    ['a unique local address', '[fd00:6:7::a1]', '[fd00:6:7::a1]'],
    ['an IPv4-mapped address, which is IPv4 to Filebeat', '[::ffff:127.0.0.1]', '127.0.0.1'],
  ] as const)
    it(`${what} is found among similar sockets`, rootOnly, async () => {
      const one = await world.filebeat(`address-${host}`.replace(/[^\w-]/g, '_'), [], {
        text: `filebeat.inputs:\n- {type: udp, host: "${host}:9000"}\noutput.console.enabled: true\n`,
        netns: 'new',
      });
      addAddress(one.pid, 'fd00:6:7::a1');
      addAddress(one.pid, 'fd00:6:7::1a');
      const status = async () => portOf(await exporter.scrape(), one).slice(0, 2);
      const other = await world.process({ argv: ['other'], netns: { pid: one.pid } });
      await other.bind('udp [fd00:6:7::1a]:9000');
      assert.deepEqual(await status(), [0, 'missing']);
      await one.bind(`udp ${bound}:9000`);
      assert.deepEqual(await status(), [1, 'listening']);
    });
});

describe('an IPv6 socket on a v4-mapped address', () => {
  it('blocks the IPv4 listener, and is reported', async () => {
    const port = await quietPort();
    const inTheWay = createSocket('udp6');
    await new Promise<void>((resolve) => inTheWay.bind(port, '::ffff:127.0.0.1', resolve).unref());
    const one = await world.filebeat('mapped', [`127.0.0.1:${port}`]);
    assert.deepEqual([...one.failures.values()], ['EADDRINUSE']);
    const program = createProgram();
    const told = toldOf(await program.scan(), one.config)!;
    program.end();
    inTheWay.close();
    assert.deepEqual(tell(told), [true, one.pid, ['taken'], ['port_taken']]);
    assert.equal(told.ports[0]!.socket!.owners[0]!.pid, process.pid);
  });
});

/** Sends to the loopback address in the network namespace of that process. */
function addAddress(pid: number, address: string): void {
  execFileSync('nsenter', ['-t', `${pid}`, '-n', 'ip', '-6', 'address', 'add', `${address}/128`, 'dev', 'lo', 'nodad']);
}

describe('a process that exits during a scan', () => {
  it('is down in that scan, without verdicts on its ports', async () => {
    let victim: Filebeat | undefined;
    const program = createProgram({
      interrupt: () => {
        if (victim === undefined) return;
        process.kill(victim.pid, 'SIGKILL');
        // Not reaped before this function returns, so it is a zombie without descriptors.
        while (!/\) [ZX] /.test(readFileSync(`/proc/${victim.pid}/stat`, 'utf8')));
      },
    });
    for (let turn = 0; turn < 20; turn++) {
      victim = undefined;
      const one = await world.filebeat(`mid-scan-${turn}`, [`127.0.0.1:${await quietPort()}`]);
      assert.deepEqual(tell(toldOf(await program.scan(), one.config)!), [true, one.pid, ['listening'], []]);
      victim = one;
      const ended = [false, undefined, ['instance_down'], ['instance_down']];
      assert.deepEqual(tell(toldOf(await program.scan(), one.config)!), ended);
    }
    program.end();
  });
});

function tell({ up, pid, ports, mismatches }: Told) {
  return [up, pid, ports.map(({ status }) => status), mismatches.map(({ code }) => code)];
}
