/** Difficult hosts: Filebeats that start and stop, processes without a command line, files that are not regular files. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Exporter, startExporter } from '../support/exporter.js';
import { freePort, until } from '../support/live.js';
import { isRoot } from '../support/needs.js';
import { createWorld, udpConfig } from '../support/world.js';

const world = createWorld();
let exporter: Exporter;
before(async () => {
  exporter = await startExporter();
});
after(async () => {
  await world.end();
  await exporter.stop();
});

describe('Filebeats that start and stop during scans', () => {
  it('are never reported without a port that they hold whenever they run', async () => {
    const config = join(world.folder, 'restless.yml');
    const ports = [await freePort(), await freePort()];
    const hosts = ports.map((port) => `127.0.0.1:${port}`);
    world.write('restless.yml', udpConfig(hosts));
    const argv = ['filebeat', '-c', config, '--path.home', world.folder, '--path.data', join(world.folder, 'restless')];
    let over = false;
    const lives = (async () => {
      let count = 0;
      for (; !over; count++) {
        // It binds before it execs as Filebeat, so no Filebeat is ever seen without its ports.
        const one = await world.process({
          argv: ['not-yet'],
          cwd: world.folder,
          sockets: hosts.map((h) => `udp ${h}`),
        });
        await one.exec('filebeat', argv);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
        await one.kill('SIGKILL');
      }
      return count;
    })();
    const seen = { up: 0, down: 0 };
    const started = Date.now();
    // Four seconds; on a busy machine until it was seen both up and down.
    const isEnough = () => Date.now() - started > 4000 && seen.up > 4 && seen.down > 4;
    try {
      while (!isEnough() && Date.now() - started < 40_000) {
        const scrape = await exporter.scrape();
        const up = scrape.value('filebeat_instance_up', { config });
        if (up === undefined) continue;
        seen[up === 1 ? 'up' : 'down']++;
        for (const port of scrape.all('filebeat_port_up', { config }))
          assert.deepEqual([port.value, port.labels.get('pid') === ''], [up, up === 0], port.key);
        const codes = scrape.all('filebeat_mismatch', { config }).map(({ labels }) => labels.get('code'));
        assert.deepEqual(
          codes.filter((code) => code !== 'instance_flapping'),
          up === 1 ? [] : ['instance_down'],
        );
      }
    } finally {
      over = true;
    }
    const count = await lives;
    assert.ok(count > 20 && isEnough(), JSON.stringify({ count, seen }));
  });
});

describe('processes that are difficult to read', () => {
  it('a zombie Filebeat is down', async () => {
    const port = await freePort();
    const config = world.write('zombie.yml', udpConfig([`127.0.0.1:${port}`]));
    // A parent that never reaps its child: bash forks, then execs sleep.
    const stub = (await world.filebeat('zombie-stub', [])).executable;
    const parent = spawn(
      '/bin/bash',
      ['-c', `'${stub}' -c '${config}' --path.home '${world.folder}' <&3 & exec sleep 60`],
      {
        cwd: world.folder,
        stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
      },
    );
    try {
      await until(
        'the child is seen',
        async () => (await exporter.scrape()).value('filebeat_instance_up', { config }) === 1,
      );
      parent.stdio[3]!.destroy();
      await until('the child is a zombie', () =>
        execFileSync('ps', ['--ppid', String(parent.pid), '-o', 'stat='], { encoding: 'utf8' }).startsWith('Z'),
      );
      const scrape = await exporter.scrape();
      assert.equal(scrape.value('filebeat_instance_up', { config, pid: '' }), 0);
      assert.deepEqual(
        scrape.all('filebeat_port_up', { config }).map(({ value }) => value),
        [0],
      );
    } finally {
      parent.kill('SIGKILL');
    }
  });

  it('kernel threads and processes without a command line are ignored', async () => {
    const nameless = await world.process({ argv: [''], name: 'nameless' });
    const { instances, gaps } = await exporter.status();
    assert.ok(instances.every(({ pid }) => pid !== nameless.pid && pid !== 2));
    assert.deepEqual(
      gaps.filter(({ subject }) => subject.includes(`/${nameless.pid}/`)),
      [],
    );
  });

  it('a name with spaces, brackets and a line feed is one label', async () => {
    const port = await freePort();
    const name = 'a) S 1 (b\n"\\c';
    const thief = await world.process({ argv: [name], name, sockets: [`udp :${port}`] });
    const one = await world.filebeat('odd-thief', [`:${port}`]);
    // Full descriptor scans are rate limited: this one may have to wait.
    const look = async () => {
      const info = (await exporter.scrape()).one('filebeat_port_info', { config: one.config });
      return info.labels.get('owner_pid') === String(thief.pid) && info.labels.get('owner_process');
    };
    const process = await until('the thief is named', look, 40);
    assert.equal(process, name);
  });
});

describe('a main file', () => {
  /** The verdict on an instance whose file was broken after its start; it holds its port throughout. */
  async function broken(name: string, spoil: (path: string) => void) {
    const port = await freePort();
    const one = await world.filebeat(name, [`127.0.0.1:${port}`]);
    await exporter.scrape();
    rmSync(one.config);
    spoil(one.config);
    const scrape = await exporter.scrape();
    const labels = { config: one.config };
    return {
      // Listeners from its start stay expected.
      ports: scrape.all('filebeat_port_up', labels).map((s) => [s.labels.get('port'), s.value]),
      port: String(port),
      valid: scrape.value('filebeat_instance_config_valid', labels),
      codes: scrape.all('filebeat_mismatch', labels).map((s) => s.labels.get('code')),
    };
  }

  const cases: [what: string, spoil: (path: string) => void, valid: number | undefined, code: string][] = [
    ['is missing', () => undefined, 0, 'config_invalid'],
    ['is empty', (path) => void world.write(path.slice(world.folder.length), ''), 0, 'config_invalid'],
    [
      'is not YAML',
      (path) => void world.write(path.slice(world.folder.length), 'filebeat.inputs:\n- type: udp\n\t host: ":1"\n'),
      0,
      'config_invalid',
    ],
    ['is a directory', (path) => mkdirSync(path), 0, 'config_invalid'],
    ['is a FIFO', (path) => void execFileSync('mkfifo', [path]), undefined, 'config_unreadable'],
  ];
  for (const [what, spoil, valid, code] of cases)
    it(`that ${what} is reported, and the port stays expected`, async () => {
      const told = await broken(`spoilt-${what.replaceAll(' ', '-')}`, spoil);
      assert.deepEqual(told.ports, [[told.port, 1]]);
      assert.deepEqual([told.valid, told.codes], [valid, [code]]);
    });

  it('that cannot be read is a gap, and the configuration is neither valid nor invalid', async () => {
    const port = await freePort();
    const one = await world.filebeat('spoilt-denied', [`127.0.0.1:${port}`]);
    chmodSync(one.config, 0);
    const stranger = await startExporter([], isRoot ? { uid: 65534 } : {});
    try {
      const scrape = await stranger.scrape();
      const labels = { config: one.config };
      assert.equal(scrape.value('filebeat_instance_up', labels), 1);
      assert.equal(scrape.value('filebeat_instance_config_valid', labels), undefined);
      assert.deepEqual(scrape.all('filebeat_port_up', labels), []);
      assert.ok(scrape.value('filebeat_mismatch', { ...labels, code: 'config_unreadable' }));
      assert.ok(scrape.one('filebeat_port_exporter_gaps', { reason: 'denied' }).value > 0);
    } finally {
      await stranger.stop();
    }
  });
});
