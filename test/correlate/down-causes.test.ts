/** Causes of `instance_down` from the files of a host, the most likely first. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, chownSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { correlate } from '../../src/correlate/correlate.js';
import { emptyScanHistory } from '../../src/correlate/scan-history.js';
import type { Report } from '../../src/model/model.js';
import { systemClock } from '../../src/runtime/clock.js';
import { createSnapshotTaker } from '../../src/scan/take-snapshot.js';
import { defaultSettings } from '../../src/settings/settings.js';
import { openMemory } from '../../src/state/memory.js';
import { emptyState, type RememberedInstance, type State } from '../../src/state/memory-state.js';
import { words } from '../../src/words/words.js';
import { needsRoot } from '../support/needs.js';
import { type Tree, writeTree } from '../support/tree.js';
import { ownPort } from '../support/trial.js';

const unit = '/etc/systemd/system/filebeat.service';
const link = '/etc/systemd/system/multi-user.target.wants/filebeat.service';
const program = '/usr/share/filebeat/bin/filebeat';
const install = '[Install]\nWantedBy=multi-user.target\n';

/** A host with one enabled unit. */
function host(more: string, rest: Tree = {}, { config = 'filebeat.inputs: []\n', head = '' } = {}): Tree {
  return {
    '/etc/passwd': 'root:x:0:0::/root:/bin/sh\nfb:x:977:977::/:/bin/sh\n',
    '/etc/group': 'root:x:0:\nfb:x:977:\n',
    '/etc/filebeat/filebeat.yml': `${config}output.console.enabled: true\n`,
    '/usr/share/filebeat/README.md': '# Welcome to Filebeat 8.19.21\n',
    [program]: '\x7fELF',
    [unit]: `${head}[Service]\nExecStart=${program} -c /etc/filebeat/filebeat.yml --path.home /usr/share/filebeat\n${more}\n${install}`,
    [link]: '-> ../filebeat.service',
    ...rest,
  };
}

const udp = (...hosts: string[]) =>
  `filebeat.inputs:\n${hosts.map((one) => `- {type: udp, host: "${one}"}\n`).join('')}`;
/** Seconds since the epoch. */
const bootTime = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))![1]);
const good = { config: udp('127.0.0.1:0') };

interface Told {
  cause: string;
  evidence: string[];
  remedy: string;
}

/** The mismatches of the only instance below a root. `known`: what is remembered of it. */
async function verdictOn(root: string, known?: Partial<RememberedInstance>): Promise<Told> {
  const report = await look(root, known);
  // Filebeats of other tests may exit during the scan.
  const down = report.verdict.mismatches.find(
    ({ code, unit: of }) => code === 'instance_down' && of === 'filebeat.service',
  );
  assert.ok(down, JSON.stringify(report.snapshot.instances.map(({ name }) => name)));
  const { cause, evidence, remedy } = words(down);
  return { cause, evidence, remedy };
}

async function look(root: string, known?: Partial<RememberedInstance>): Promise<Report> {
  const { memory } = openMemory('', () => undefined);
  const state: State = known === undefined ? emptyState : { ...emptyState, instances: { one: remembered(known) } };
  const taker = createSnapshotTaker({
    procfs: '/proc',
    rootfs: root,
    settings: () => defaultSettings,
    memory,
    state,
    unchecked: true,
    clock: systemClock,
  });
  const snapshot = await taker.take();
  snapshot.instances = snapshot.instances.filter(({ process }) => process === undefined);
  return {
    snapshot,
    verdict: correlate(snapshot, emptyScanHistory, { receiveQueueRatio: 0.8, grace: 10, isSingleScan: true }),
  };
}

function remembered(rest: Partial<RememberedInstance>): RememberedInstance {
  return {
    id: 'one',
    name: 'filebeat',
    config: '/etc/filebeat/filebeat.yml',
    root: '/',
    network: 'host',
    mainFiles: ['/etc/filebeat/filebeat.yml'],
    pathData: '/usr/share/filebeat/data',
    origins: ['systemd'],
    unit: 'filebeat.service',
    owner: 0,
    expected: [],
    start: { pid: 99, startTicks: 1, bootId: 'x', startTime: 1_700_000_000 },
    firstSeen: 1_700_000_000,
    lastSeen: Date.now() / 1000 - 60,
    restarts: 0,
    restartTimes: [],
    ...rest,
  };
}

describe('why a unit’s Filebeat is down', () => {
  const cases: [string, Tree, RegExp][] = [
    [
      'its EnvironmentFile is missing',
      host('EnvironmentFile=/etc/default/fb', {}, good),
      /\/etc\/default\/fb does not exist/,
    ],
    ['its user is missing', host('User=nobodyhere', {}, good), /user nobodyhere is not in \/etc\/passwd/],
    [
      'its working folder is missing',
      host('WorkingDirectory=/srv/gone', {}, good),
      /WorkingDirectory \/srv\/gone does not exist/,
    ],
    ['its program is missing', host('', { [program]: 'no program' }, good), /filebeat is not executable/],
    [
      'an assert of it does not hold',
      host('', {}, { ...good, head: '[Unit]\nAssertPathExists=/srv/gone\n' }),
      /AssertPathExists= does not hold/,
    ],
    ['its files would be refused', host('', {}, { config: 'filebeat.prospectors: []\n' }), /filebeat\.prospectors/],
  ];
  for (const [title, tree, expected] of cases) {
    it(title, async () => {
      const { cause, evidence } = await verdictOn(writeTree(tree));
      assert.match(cause, expected);
      // The reason to expect it is reported too.
      assert.ok(
        evidence.some((text) => text.includes('an enabled systemd unit starts it')),
        evidence.join('\n'),
      );
    });
  }
});

describe('files that the user of a unit may not read', () => {
  const tree = (more = '') => host(`User=fb\n${more}`, {}, good);

  it('a file of root that others may not read', needsRoot, async () => {
    const root = writeTree(tree());
    chmodSync(join(root, 'etc/filebeat/filebeat.yml'), 0o600);
    const { cause } = await verdictOn(root);
    assert.match(cause, /its user fb may not read \/etc\/filebeat\/filebeat\.yml \(owner 0:0, mode 0600\)/);
  });

  it('a file in a directory that the user may not enter', needsRoot, async () => {
    const root = writeTree(tree());
    chmodSync(join(root, 'etc/filebeat'), 0o700);
    assert.match((await verdictOn(root)).cause, /may not enter \/etc\/filebeat \(owner 0:0, mode 0700\)/);
  });

  it('an access control list may allow it, which the mode does not show', needsRoot, async () => {
    const root = writeTree(tree());
    chmodSync(join(root, 'etc/filebeat/filebeat.yml'), 0o640);
    assert.match((await verdictOn(root)).cause, /mode 0640, unless an access control list lets it/);
  });

  it('the group may allow it, and a capability allows everything', needsRoot, async () => {
    const root = writeTree(tree());
    const file = join(root, 'etc/filebeat/filebeat.yml');
    chmodSync(file, 0o640);
    chownSync(file, 0, 977);
    assert.doesNotMatch((await verdictOn(root)).cause, /may not/);
    const able = writeTree(tree('AmbientCapabilities=CAP_DAC_READ_SEARCH'));
    chmodSync(join(able, 'etc/filebeat/filebeat.yml'), 0o600);
    assert.doesNotMatch((await verdictOn(able)).cause, /may not/);
  });
});

describe('a unit that no boot starts, of a Filebeat that is remembered', () => {
  const off = (change: (tree: Tree) => Tree) => writeTree(change(host('', {}, good)));
  const without = ({ [link]: _, ...rest }: Tree): Tree => rest;

  it('is skipped by a condition', async () => {
    const head = '[Unit]\nConditionPathExists=/srv/gone\n';
    const { cause, remedy } = await verdictOn(writeTree(host('', {}, { ...good, head })), {});
    assert.match(cause, /skips its unit filebeat\.service, because ConditionPathExists= is not met/);
    assert.match(remedy, /ConditionPathExists=.*: systemctl start filebeat\.service/);
  });

  it('is masked', async () => {
    const { cause, remedy } = await verdictOn(
      off((tree) => ({
        ...without(tree),
        [unit]: '-> /dev/null',
        '/usr/lib/systemd/system/filebeat.service': tree[unit]!,
      })),
      {},
    );
    assert.match(cause, /filebeat\.service is masked/);
    assert.match(remedy, /systemctl unmask filebeat\.service && systemctl start filebeat\.service/);
  });

  it('is disabled: the cause after a boot, otherwise evidence beside how it ended', async () => {
    const root = off(without);
    assert.match((await verdictOn(root, { lastSeen: bootTime - 60 })).cause, /is disabled: it is not started at boot/);
    const { cause, evidence } = await verdictOn(root, {});
    assert.match(cause, /it was seen running before/);
    assert.match(evidence.join('\n'), /is disabled/);
  });
});

describe('the link of systemd for a started unit', () => {
  const units = (...names: string[]): Tree =>
    Object.fromEntries(names.map((name) => [`/run/systemd/units/invocation:${name}`, `-> ${'0'.repeat(32)}`]));
  const evidence = async (tree: Tree) => (await verdictOn(writeTree(host('', tree, good)))).evidence.join('\n');

  it('exists while systemd counts the unit as started', async () => {
    assert.match(
      await evidence(units('filebeat.service', 'dbus.service')),
      /regards filebeat\.service as started or starting/,
    );
    assert.match(await evidence(units('dbus.service')), /does not regard filebeat\.service as started/);
  });

  it('proves nothing if systemd makes no such links', async () => {
    assert.doesNotMatch(await evidence({}), /regard/);
  });
});

describe('the next start would fail or lose', () => {
  it('a port that another process holds', async () => {
    const port = await ownPort();
    const socket = createSocket('udp4').bind(port, '127.0.0.1');
    await once(socket, 'listening');
    try {
      const { cause, evidence } = await verdictOn(writeTree(host('', {}, { config: udp(`127.0.0.1:${port}`) })));
      assert.match(cause, /never seen running/);
      assert.match(
        evidence.join('\n'),
        new RegExp(`If started now, it could not bind udp 127\\.0\\.0\\.1:${port} \\(held by pid ${process.pid}`),
      );
    } finally {
      socket.close();
    }
  });

  it('no port of a multicast group, which several sockets can share', async () => {
    const port = await ownPort();
    const socket = createSocket({ type: 'udp4', reuseAddr: true }).bind(port);
    await once(socket, 'listening');
    try {
      const { evidence } = await verdictOn(writeTree(host('', {}, { config: udp(`224.0.0.251:${port}`) })));
      assert.doesNotMatch(evidence.join('\n'), /could not bind/);
    } finally {
      socket.close();
    }
  });

  it('because of its stats endpoint, without which it does not start', async () => {
    const port = await ownPort();
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    try {
      const config = `${udp('127.0.0.1:0')}http: {enabled: true, host: 127.0.0.1, port: ${port}}\n`;
      const { cause, evidence } = await verdictOn(writeTree(host('', {}, { config })));
      assert.match(cause, new RegExp(`stats endpoint in .* is held by pid ${process.pid} `));
      assert.doesNotMatch(evidence.join('\n'), /could not bind/);
    } finally {
      server.close();
    }
  });

  it('an address that this host lacks', async () => {
    const { evidence } = await verdictOn(writeTree(host('', {}, { config: udp('203.0.113.77:9000') })));
    assert.match(evidence.join('\n'), /could not bind udp 203\.0\.113\.77:9000 \(this host lacks the address\)/);
  });

  it('an input that its release refuses', async () => {
    const config = 'filebeat.inputs:\n- {type: udp, host: "127.0.0.1:9000", processors: [{no_such_processor: {}}]}\n';
    const { evidence } = await verdictOn(writeTree(host('', {}, { config })));
    assert.match(evidence.join('\n'), /would run without .*processor no_such_processor/);
  });
});
