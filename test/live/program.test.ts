/** The whole program over HTTP against real processes and real sockets. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { type Exporter, startExporter } from '../support/exporter.js';
import { freePort, until } from '../support/live.js';
import { needsProgram, rootOnly } from '../support/needs.js';
import { readScrape, type Scrape } from '../support/text-format.js';
import { createWorld, type Filebeat } from '../support/world.js';

const world = createWorld();
let exporter: Exporter;
before(async () => {
  exporter = await startExporter();
});
after(async () => {
  await world.end();
  await exporter.stop();
});

/** `udp *:9000 = 1 listening` for each port of an instance, in the order of the exposition. */
function portsOf(scrape: Scrape, { config }: Pick<Filebeat, 'config'>): string[] {
  return scrape.all('filebeat_port_info', { config }).map(({ labels }) => {
    const same = Object.fromEntries(['protocol', 'address', 'port'].map((label) => [label, labels.get(label)!]));
    const up = scrape.value('filebeat_port_up', { config, ...same });
    return `${same['protocol']} ${same['address']}:${same['port']} = ${up ?? '?'} ${labels.get('status')}`;
  });
}

const codesOf = (scrape: Scrape, { config }: Pick<Filebeat, 'config'>): string[] =>
  scrape
    .all('filebeat_mismatch', { config })
    .filter(({ value }) => value === 1)
    .map(({ labels }) => labels.get('code')!)
    .sort();

describe('one scan of many Filebeats', () => {
  it('reports each with its own ports, and every address family as declared', async () => {
    const [any, v4, loopback, v6, wild6, tcp] = await Promise.all(Array.from({ length: 6 }, freePort));
    const one = await world.filebeat('many-one', [`0.0.0.0:${any}`, `127.0.0.1:${loopback}`]);
    const two = await world.filebeat('many-two', [`[::1]:${v6}`, `:${wild6}`]);
    const three = await world.filebeat('many-three', [], {
      text: `filebeat.inputs:\n- {type: syslog, protocol.udp.host: "localhost:${v4}"}\n- {type: tcp, host: "127.0.0.1:${tcp}"}\noutput.console.enabled: true\n`,
      sockets: [`udp 127.0.0.1:${v4}`, `tcp 127.0.0.1:${tcp}`],
    });
    const scrape = await exporter.scrape();
    const sorted = (...lines: string[]) => lines.sort();
    assert.deepEqual(
      portsOf(scrape, one).sort(),
      sorted(`udp *:${any} = 1 listening`, `udp 127.0.0.1:${loopback} = 1 listening`),
    );
    assert.deepEqual(
      portsOf(scrape, two).sort(),
      sorted(`udp ::1:${v6} = 1 listening`, `udp *:${wild6} = 1 listening`),
    );
    assert.deepEqual(
      portsOf(scrape, three).sort(),
      sorted(`udp 127.0.0.1:${v4} = 1 listening`, `tcp 127.0.0.1:${tcp} = 1 listening`),
    );
    for (const each of [one, two, three]) {
      assert.equal(scrape.one('filebeat_instance_up', { config: each.config }).labels.get('pid'), String(each.pid));
      assert.equal(scrape.value('filebeat_instance_healthy', { config: each.config }), 1);
      assert.deepEqual(codesOf(scrape, each), []);
    }
    const [series] = scrape.all('filebeat_port_up', { config: three.config, protocol: 'udp' });
    assert.deepEqual([...series!.labels.keys()], ['name', 'config', 'protocol', 'address', 'port', 'pid', 'input']);
    assert.equal(series!.labels.get('input'), 'syslog');
  });

  it('two instances with the same name and different -c are separate', async () => {
    const [a, b] = [await freePort(), await freePort()];
    const first = await world.filebeat('alike/a/filebeat', [`127.0.0.1:${a}`]);
    const second = await world.filebeat('alike/b/filebeat', [`127.0.0.1:${b}`]);
    const scrape = await exporter.scrape();
    assert.deepEqual(portsOf(scrape, first), [`udp 127.0.0.1:${a} = 1 listening`]);
    assert.deepEqual(portsOf(scrape, second), [`udp 127.0.0.1:${b} = 1 listening`]);
    const name = ({ config }: Filebeat) => scrape.one('filebeat_instance_up', { config }).labels.get('name');
    assert.notEqual(name(first), name(second));
    const comms = scrape.all('filebeat_instance_info', { executable: first.executable });
    assert.ok(
      comms.some((s) => s.labels.get('config') === second.config),
      'the very same program file',
    );
  });

  it('a port bound on IPv4 only is up', async () => {
    const port = await freePort();
    const one = await world.filebeat('v4-only', [`0.0.0.0:${port}`], { sockets: [`udp4 0.0.0.0:${port}`] });
    const scrape = await exporter.scrape();
    assert.deepEqual(
      portsOf(scrape, one).map((line) => line.split(' = ')[1]![0]),
      ['1'],
    );
    assert.equal(scrape.value('filebeat_instance_healthy', { config: one.config }), 1);
  });

  it('a wildcard that is served on IPv4 only is up and reported as narrower', async () => {
    const port = await freePort();
    const one = await world.filebeat('narrow', [`:${port}`], { sockets: [`udp4 0.0.0.0:${port}`] });
    const scrape = await exporter.scrape();
    assert.deepEqual(portsOf(scrape, one), [`udp *:${port} = 1 narrower`]);
    assert.deepEqual(codesOf(scrape, one), ['port_narrower']);
  });

  it('a listener on a port number with the same prefix does not make a port up', async () => {
    const short = 618;
    const long = await until('ports that begin with 618', async () => {
      for (let port = 61800; port < 61810; port++) {
        const probe = await world.filebeat('prefix-probe', [`127.0.0.1:${port}`]);
        const free = probe.failures.size === 0;
        await probe.stop();
        if (free) return port;
      }
      return undefined;
    });
    const one = await world.filebeat('prefix', [`127.0.0.1:${short}`, `127.0.0.1:${long}`], {
      sockets: [`udp 127.0.0.1:${long}`],
    });
    const scrape = await exporter.scrape();
    assert.deepEqual(portsOf(scrape, one), [
      `udp 127.0.0.1:${short} = 0 missing`,
      `udp 127.0.0.1:${long} = 1 listening`,
    ]);
  });

  it('connected UDP sockets are not listeners', async () => {
    const [port, asked] = [await freePort(), await freePort()];
    const one = await world.filebeat('connected', [`127.0.0.1:${port}`]);
    const local = await one.portOf(await one.connect(`udp 127.0.0.1:${asked}`));
    const two = await world.filebeat('connected-asked', [`127.0.0.1:${local}`], { sockets: [] });
    const scrape = await exporter.scrape();
    assert.deepEqual(portsOf(scrape, one), [`udp 127.0.0.1:${port} = 1 listening`]);
    assert.deepEqual(codesOf(scrape, one), []);
    assert.deepEqual(portsOf(scrape, two), [`udp 127.0.0.1:${local} = 0 missing`]);
  });

  it('a forked child that shares a socket is neither a conflict nor a second instance', async () => {
    const port = await freePort();
    const one = await world.filebeat('forked', [`127.0.0.1:${port}`]);
    await one.fork();
    await one.fork({ file: '/bin/sleep', argv: ['sleep', '600'] });
    const scrape = await exporter.scrape();
    assert.deepEqual(portsOf(scrape, one), [`udp 127.0.0.1:${port} = 1 listening`]);
    assert.deepEqual(codesOf(scrape, one), []);
    assert.equal(scrape.one('filebeat_instance_up', { config: one.config }).labels.get('pid'), String(one.pid));
  });
});

/** May take a while: between full descriptor scans is a pause of twenty times their duration. */
const named = ({ config }: Filebeat, { pid }: { pid: number }) =>
  until(
    'the taker is named',
    async () => {
      const [info] = (await exporter.scrape()).all('filebeat_port_info', { config });
      return info?.labels.get('owner_pid') === String(pid) && info;
    },
    40,
  );

describe('a port that another process holds', () => {
  it('is reported with pid and name of its owner, and one remedy', async () => {
    const port = await freePort();
    const thief = await world.process({ argv: ['/usr/sbin/old (syslogd)'], sockets: [`udp :${port}`] });
    const one = await world.filebeat('robbed', [`0.0.0.0:${port}`]);
    assert.deepEqual([...one.failures.values()], ['EADDRINUSE']);
    const first = await exporter.scrape();
    assert.deepEqual(portsOf(first, one), [`udp *:${port} = 0 taken`]);
    assert.deepEqual(codesOf(first, one), ['port_taken']);
    const info = await named(one, thief);
    assert.equal(info.labels.get('owner_process'), 'old (syslogd)');
    assert.equal(info.labels.get('declared_in'), `${one.config}:3`);
    const status = await exporter.status();
    const told = status.mismatches.find((m) => m.config === one.config)!;
    assert.equal(told.code, 'port_taken');
    assert.ok(told.cause.includes(`pid ${thief.pid} (old (syslogd))`), told.cause);
    assert.ok(told.remedy !== '' && told.expected !== '' && told.seen !== '');
    await thief.stop();
    await one.bind(`udp :${port}`);
    assert.deepEqual(portsOf(await exporter.scrape(), one), [`udp *:${port} = 1 listening`]);
  });

  it('names the instance if it is another Filebeat', async () => {
    const port = await freePort();
    const first = await world.filebeat('came-first', [`127.0.0.1:${port}`]);
    const second = await world.filebeat('came-second', [`:${port}`]);
    const scrape = await exporter.scrape();
    assert.deepEqual(portsOf(scrape, first), [`udp 127.0.0.1:${port} = 1 listening`]);
    assert.deepEqual(portsOf(scrape, second), [`udp *:${port} = 0 taken`]);
    const { mismatches } = await exporter.status();
    const told = mismatches.filter((m) => m.config === second.config || m.config === first.config);
    assert.deepEqual(
      told.map(({ code, config }) => [code, config]),
      [['port_taken', second.config]],
    );
    const name = scrape.one('filebeat_instance_up', { config: first.config }).labels.get('name')!;
    assert.ok(told[0]!.cause.includes(`pid ${first.pid}`) && told[0]!.cause.includes(name), told[0]!.cause);
  });
});

describe('the very next scrape', () => {
  it('has a new instance, and a port that was added to its file before its start', async () => {
    await exporter.scrape();
    const port = await freePort();
    const one = await world.filebeat('newcomer', [`127.0.0.1:${port}`]);
    assert.deepEqual(portsOf(await exporter.scrape(), one), [`udp 127.0.0.1:${port} = 1 listening`]);
  });

  it('has 0 and an empty pid for everything after a SIGKILL', async () => {
    const [a, b] = [await freePort(), await freePort()];
    const one = await world.filebeat('victim', [`127.0.0.1:${a}`, `:${b}`]);
    const labels = { config: one.config };
    const before = await exporter.scrape();
    assert.deepEqual(
      before.all('filebeat_port_up', labels).map((s) => [s.value, s.labels.get('pid')]),
      Array(2).fill([1, String(one.pid)]),
    );
    await one.kill('SIGKILL');
    const after = await exporter.scrape();
    assert.deepEqual(
      after.all('filebeat_port_up', labels).map((s) => [s.value, s.labels.get('pid')]),
      Array(2).fill([0, '']),
    );
    assert.deepEqual(
      portsOf(after, one).map((line) => line.split(' ').at(-1)),
      ['instance_down', 'instance_down'],
    );
    assert.equal(after.value('filebeat_instance_up', { ...labels, pid: '' }), 0);
    assert.equal(after.value('filebeat_instance_start_time_seconds', labels), undefined);
    assert.deepEqual(codesOf(after, one), ['instance_down']);

    const again = await world.filebeat('victim', [`127.0.0.1:${a}`, `:${b}`]);
    const later = await exporter.scrape();
    assert.deepEqual(
      later.all('filebeat_port_up', labels).map((s) => [s.value, s.labels.get('pid')]),
      Array(2).fill([1, String(again.pid)]),
    );
    assert.equal(later.value('filebeat_instance_restarts_total', labels), 1);
  });

  it('has an instance in a network namespace of its own, whose ports are not the host’s', rootOnly, async () => {
    const port = await freePort();
    const inside = await world.filebeat('inside', [`:${port}`], { netns: 'new' });
    const outside = await world.filebeat('outside', [`:${port}`], { sockets: [] });
    const scrape = await exporter.scrape();
    assert.deepEqual(portsOf(scrape, inside), [`udp *:${port} = 1 listening`]);
    assert.deepEqual(portsOf(scrape, outside), [`udp *:${port} = 0 missing`]);
  });
});

describe('the exposition', () => {
  it('is served a thousand times, without duplicate series', async () => {
    const port = await freePort();
    const one = await world.filebeat('thousand', [`127.0.0.1:${port}`]);
    const known = new Set<string>();
    for (let turn = 0; turn < 1000; turn += 20) {
      const responses = await Promise.all(Array.from({ length: 20 }, () => exporter.get('/metrics')));
      for (const response of responses) {
        assert.equal(response.status, 200);
        const text = await response.text();
        // Concurrent requests share one scan.
        if (known.has(text)) continue;
        known.add(text);
        assert.equal(readScrape(text).value('filebeat_port_up', { config: one.config }), 1);
      }
    }
    assert.ok(known.size > 20);
  });

  it('is accepted by promtool', needsProgram('promtool'), async () => {
    const port = await freePort();
    const dead = await world.filebeat('promtool', [`127.0.0.1:${port}`]);
    await exporter.scrape();
    await dead.kill();
    const text = await (await exporter.get('/metrics')).text();
    assert.ok(text.includes('instance_down'));
    const { status, stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], {
      input: text,
      encoding: 'utf8',
    });
    assert.deepEqual([error, stdout + stderr, status], [undefined, '', 0]);
  });

  it('is OpenMetrics if the client asks for it', async () => {
    const response = await exporter.get('/metrics', {
      headers: { Accept: 'application/openmetrics-text; version=1.0.0' },
    });
    assert.match(response.headers.get('content-type') ?? '', /^application\/openmetrics-text/);
    assert.ok((await response.text()).endsWith('# EOF\n'));
  });
});

describe('pages', () => {
  it('show a taken port, its owner and the remedy', async () => {
    const port = await freePort();
    const thief = await world.process({ argv: ['port-thief'], sockets: [`udp :${port}`] });
    const one = await world.filebeat('on-the-page', [`0.0.0.0:${port}`]);
    await named(one, thief);
    const told = (await exporter.status()).mismatches.find((m) => m.config === one.config)!;
    for (const path of ['/', `/instances/${told.name}`]) {
      const page = await (await exporter.get(path, { headers: { Accept: 'text/html' } })).text();
      const text = page.replace(/<[^>]+>/g, ' ').replaceAll('&#39;', "'");
      for (const needle of [String(port), `pid ${thief.pid} (port-thief)`, told.remedy.split(' ')[0]!])
        assert.ok(text.includes(needle), `${path} says ${needle}`);
    }
  });
});
