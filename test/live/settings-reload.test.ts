/** Reload of the settings file by SIGHUP and POST /-/reload; invalid settings are not used. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Exporter, run, startExporter } from '../support/exporter.js';
import { freePort, until } from '../support/live.js';
import { isRoot } from '../support/needs.js';
import type { Scrape } from '../support/text-format.js';
import { createWorld } from '../support/world.js';

const world = createWorld('settings-');
const open: Exporter[] = [];
after(async () => {
  await world.end();
  await Promise.all(open.map((one) => one.stop()));
});
const serve = async (settings: string, ...flags: string[]) => {
  const file = world.write(`settings-${open.length}.yml`, settings);
  const exporter = await startExporter([`--config.file=${file}`, ...flags]);
  open.push(exporter);
  const reload = async () => {
    const response = await exporter.get('/-/reload', { method: 'POST' });
    return { status: response.status, text: await response.text() };
  };
  return { file, exporter, reload, say: (text: string) => writeFileSync(file, text) };
};
const ports = (scrape: Scrape) => scrape.all('filebeat_static_port_up').map(({ labels }) => Number(labels.get('port')));

describe('POST /-/reload', () => {
  it('applies the settings to the next response, whatever the freshness of the last report', async () => {
    const [a, b] = [await freePort(), await freePort()];
    const { exporter, say, reload } = await serve(`ports: [${a}]\n`, '--web.enable-lifecycle', '--scan.freshness=1h');
    const before = await exporter.scrape();
    assert.deepEqual(ports(before), [a]);
    assert.deepEqual(before.all('PORT'), []);
    say(`ports: [${b}]\nlegacy_port_metric: true\n`);
    assert.deepEqual(ports(await exporter.scrape()), [a]);
    assert.equal((await reload()).status, 200);
    const next = await exporter.scrape();
    assert.deepEqual(ports(next), [b]);
    assert.equal(next.value('PORT', { label: String(b) }), 0);
  });

  it('refuses invalid settings with key and line, quotes no value, and keeps the previous ones', async () => {
    const port = await freePort();
    const { exporter, file, say, reload } = await serve(`ports: [${port}]\n`, '--web.enable-lifecycle');
    const bad: [settings: string, message: RegExp][] = [
      ['ports: [1]\nlegacy_port_metrics: hunter2\n', /:2.*legacy_port_metrics/],
      ['ports:\n  - 1\n  - hunter2\n', /:3.*ports\[1\]/],
      ['instances:\n  - {name: a, argv: [filebeat]}\n  - {name: a, argv: [hunter2]}\n', /:3.*instances\[1\]\.name/],
      ['discovery: {remember: hunter2}\n', /:1.*discovery\.remember.*duration/],
      ['ports: [1\nhunter2: {\n', /:[23]/],
    ];
    for (const [settings, message] of bad) {
      say(settings);
      const { status, text } = await reload();
      assert.equal(status, 500, settings);
      assert.ok(text.includes(file), text);
      assert.match(text, message);
      assert.doesNotMatch(text, /hunter2/);
      assert.deepEqual(ports(await exporter.scrape()), [port]);
    }
    rmSync(file);
    const { status, text } = await reload();
    assert.deepEqual([status, /cannot be read \(ENOENT\)/.test(text)], [500, true]);
    assert.deepEqual(ports(await exporter.scrape()), [port]);
    say(`ports: [${port}, 1]\n`);
    assert.equal((await reload()).status, 200);
    assert.deepEqual(ports(await exporter.scrape()), [port, 1]);
  });

  it('is disabled by default, and never answers GET', async () => {
    const { exporter, reload, say } = await serve('ports: [1]\n');
    say('ports: [2]\n');
    assert.equal((await reload()).status, 403);
    assert.equal((await exporter.get('/-/reload')).status, 405);
    assert.deepEqual(ports(await exporter.scrape()), [1]);
  });

  it('applies process_names', async () => {
    const { exporter, reload, say } = await serve('', '--web.enable-lifecycle');
    const port = await freePort();
    const one = await world.filebeat('renamed', [`127.0.0.1:${port}`], { name: 'shipper' });
    const config = { config: one.config };
    // Its argv[0] would be recognised otherwise.
    const hidden = await world.process({
      argv: ['/opt/shipper', '-c', one.config, '--path.data', join(world.folder, 'data', 'shipper')],
      name: 'shipper',
    });
    const pids = (scrape: Scrape) =>
      scrape.all('filebeat_instance_up', config).map(({ labels }) => Number(labels.get('pid')));
    // On a busy machine the first scan may have begun before the Filebeat.
    await until('the first Filebeat', async () => pids(await exporter.scrape()).join() === `${one.pid}`);
    say('discovery: {process_names: [filebeat, shipper]}\n');
    assert.equal((await reload()).status, 200);
    const byNumber = (a: number, b: number) => a - b;
    assert.deepEqual(pids(await exporter.scrape()).sort(byNumber), [one.pid, hidden.pid].sort(byNumber));
    await Promise.all([one.stop(), hidden.stop()]);
  });
});

describe('SIGHUP', () => {
  it('applies new settings at once, and logs invalid ones once, with key and line', async () => {
    const { exporter, say } = await serve('ports: [1]\n');
    say('ports: [2]\n');
    process.kill(exporter.pid, 'SIGHUP');
    await until('the new settings', async () => ports(await exporter.scrape())[0] === 2);
    say('ports: [3]\nlegacy: true\n');
    process.kill(exporter.pid, 'SIGHUP');
    const line = await until('a line in the log', () =>
      exporter
        .log()
        .split('\n')
        .find((one) => one.includes('settings not reloaded')),
    );
    assert.match(line, /level=error/);
    assert.match(line, /:2.*legacy/);
    assert.deepEqual(ports(await exporter.scrape()), [2]);
    assert.equal(exporter.log().split('settings not reloaded').length, 2);
  });

  it('changes nothing without a settings file', async () => {
    const exporter = await startExporter();
    open.push(exporter);
    process.kill(exporter.pid, 'SIGHUP');
    await until('a line in the log', () => exporter.log().includes('settings reloaded'));
    assert.equal((await exporter.get('/metrics')).status, 200);
  });
});

describe('invalid settings at the start', () => {
  it('end every command with 2, check with 3, with one sentence', async () => {
    const file = world.write('bad.yml', 'ports: [1]\nports_: [2]\n');
    for (const command of ['serve', 'check', 'metrics']) {
      const { code, stderr, stdout } = await run([command, `--config.file=${file}`, '--state.file=']);
      // In a monitoring plugin, 2 would be a fault of the host.
      assert.equal(code, command === 'check' ? 3 : 2, command);
      assert.equal(stdout, '');
      assert.match(stderr, /^filebeat-port-exporter: \S+bad\.yml:2.*ports_.*\n$/);
    }
  });
});

describe('the example that replaces a script', () => {
  const example = fileURLToPath(new URL('../../../examples/exporter.yml', import.meta.url));
  const fifteen = [6984, 6985, 6998, 7878, 7879, 7880, 618, 8814, 8815, 8816, 8817, 8818, 8819, 718, 815];
  /** The script's count: rows of the socket tables with that local port. */
  const counted = (port: number) => {
    const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
    return ['udp', 'udp6']
      .flatMap((name) => readFileSync(`/proc/net/${name}`, 'utf8').split('\n').slice(1))
      .filter((row) => (row.trim().split(/\s+/)[1] ?? '').concat(' ').endsWith(hex)).length;
  };

  it('gives PORT for the fifteen ports, as the script did', async () => {
    const mine = fifteen.filter((port) => isRoot || port >= 1024).filter((_, at) => at % 2 === 0);
    const owner = await world.process({
      argv: ['anything'],
      sockets: mine.map((port) => `udp 127.0.0.1:${port}`),
      mayFail: true,
    });
    const exporter = await startExporter([`--config.file=${example}`]);
    open.push(exporter);
    await until('one moment for both', async () => {
      const before = fifteen.map(counted);
      const text = await (await exporter.get('/metrics')).text();
      if (JSON.stringify(fifteen.map(counted)) !== JSON.stringify(before)) return false;
      for (const [at, port] of fifteen.entries())
        assert.match(text, new RegExp(`^PORT\\{label="${port}"\\} ${before[at]}$`, 'm'));
      assert.equal(
        mine.every((port) => before[fifteen.indexOf(port)]! >= 1),
        true,
      );
      return true;
    });
    await owner.stop();
    const text = await (await exporter.get('/metrics')).text();
    const quiet = fifteen.find((port) => counted(port) === 0)!;
    assert.match(text, new RegExp(`^PORT\\{label="${quiet}"\\} 0$`, 'm'));
    assert.match(
      text,
      new RegExp(
        `^filebeat_static_port_up\\{protocol="udp",address="\\*",port="${quiet}",pid="",process=""\\} 0$`,
        'm',
      ),
    );
  });
});
