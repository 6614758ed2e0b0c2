/** An exceeded limit is a gap and one log line; everything within the limit is reported. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import type { Merged } from '../../src/discovery/instances/instances.js';
import { labelText } from '../../src/exporter/metrics/exposition.js';
import { limits } from '../../src/model/limits.js';
import type { Gap, Instance, InstanceOrigin } from '../../src/model/model.js';
import type { Origin } from '../../src/scan/origins/candidate-origin.js';
import { gapsWithin, instancesWithin, truncateListeners } from '../../src/scan/within-limits.js';
import { startExporter } from '../support/exporter.js';
import { hostileNames } from '../support/report.js';
import { createWorld } from '../support/world.js';

const world = createWorld('limits-');
after(world.end);

describe('an exceeded limit', () => {
  it('of listeners in one file gives the first of them, a gap, and one log line', async () => {
    const inputs = Array.from(
      { length: limits.listeners + 500 },
      (_, at) => `- {type: udp, host: "127.0.0.1:${1 + at}"}\n`,
    );
    const text = `filebeat.inputs:\n${inputs.join('')}output.console.enabled: true\n`;
    const many = await world.filebeat('many', [], { text });
    const bomb = `x: &a [${'1,'.repeat(500)}1]\n${Array.from({ length: 12 }, (_, i) => `y${i}: &b${i} [${`*${i === 0 ? 'a' : `b${i - 1}`},`.repeat(9)}1]\n`).join('')}`;
    const bombed = await world.filebeat('bomb', [], { text: `${bomb}output.console.enabled: true\n` });
    const long = await world.filebeat(
      `${'d'.repeat(200)}/${'e'.repeat(200)}/${'f'.repeat(200)}/${'g'.repeat(200)}/${'h'.repeat(200)}/${'i'.repeat(200)}`,
      [],
    );
    const exporter = await startExporter();
    try {
      for (let scan = 0; scan < 3; scan++) await exporter.scrape();
      const scrape = await exporter.scrape();
      assert.equal(
        scrape.value('filebeat_instance_expected_ports', { config: many.config, protocol: 'udp' }),
        limits.listeners,
      );
      assert.ok(scrape.value('filebeat_port_exporter_gaps', { reason: 'limit' })! >= 1);
      assert.equal(scrape.value('filebeat_instance_config_valid', { config: bombed.config }), 0);
      const label =
        scrape.series.find(({ labels }) => labels.get('pid') === String(long.pid))?.labels.get('config') ?? '';
      assert.match(label, /^\/.{1023}… [0-9a-f]{16}$/);
      const { gaps } = await exporter.status();
      assert.ok(gaps.some(({ subject }) => subject === `listeners of ${many.config}`));
      assert.equal(exporter.log().split('limits exceeded').length - 1, 1);
    } finally {
      await exporter.stop();
    }
  });

  it('of instances of an ordinary user keeps their oldest up to a quarter, and all of the system', () => {
    const one = (name: string, uid: number | undefined, startTicks: number, origins: InstanceOrigin[]) =>
      ({
        name,
        origins,
        ...(uid === undefined ? {} : { process: { uid, startTicks } }),
        ...(uid === undefined || uid === 0 ? {} : { account: uid }),
      }) as Merged<Origin>;
    const flood = Array.from({ length: 50 }, (_, at) => one(`flood-${at}`, 1000, 10 + at, ['process']));
    const all = [
      one('remembered', undefined, 0, ['remembered']),
      ...flood,
      one('root', 0, 9999, ['process']),
      one('unit', undefined, 0, ['systemd']),
    ];
    const { included: kept, excluded: cut, gaps } = instancesWithin(all, () => 0, 4);
    assert.deepEqual(
      kept.map(({ name }) => name),
      ['remembered', 'flood-0', 'root', 'unit'],
    );
    assert.equal(cut.length, 49);
    assert.deepEqual(gaps, [{ reason: 'limit', subject: 'instances of uid 1000', detail: '50 found, 1 used' }]);
    const two = [...all, ...flood.map((each) => ({ ...each, account: 1001 }))];
    assert.equal(instancesWithin(two, () => 0, 16).included.length, 3 + 4 + 4);
    assert.deepEqual(instancesWithin(all, () => 0).gaps, []);
  });

  it('of all listeners omits those of ordinary users first, and their instances are not healthy', () => {
    const instance = (name: string, count: number, account?: number) => {
      const expected = Array.from({ length: count }, () => ({}));
      return { name, id: name, expected, prediction: { gaps: [] }, ...(account && { account }) } as unknown as Instance;
    };
    const instances = [instance('eve', 9, 4242), instance('a', 3), instance('b', 3), instance('c', 9)];
    assert.deepEqual(
      truncateListeners(instances, 16, 8).map(({ reason, subject, instance: id }) => `${reason} ${subject} ${id}`),
      ['limit listeners of “c” c', 'limit listeners of “eve” eve'],
    );
    assert.deepEqual(
      instances.map(({ expected, truncated: cut }) => [expected.length, cut]),
      [
        [2, true],
        [3, undefined],
        [3, undefined],
        [8, true],
      ],
    );
  });

  it('of gaps gives the first of them, each once', () => {
    const gap = (subject: string): Gap => ({ reason: 'denied', subject });
    assert.equal(gapsWithin([gap('a'), gap('a'), gap('b')]).length, 2);
    const within = gapsWithin(
      Array.from({ length: 9 }, (_, at) => gap(`${at}`)),
      () => 0,
      3,
    );
    assert.deepEqual(
      within.map(({ subject }) => subject),
      ['gaps', '0', '1', '2'],
    );
  });

  it('of a label ends in a digest, so that two with the same beginning differ', () => {
    const label = (end: string) => labelText('instance', [hostileNames.long + end, 'c']);
    assert.notEqual(label('a'), label('b'));
    assert.ok(label('a').length < 1200);
  });

  it('is documented in docs/security.md', () => {
    const text = readFileSync(new URL('../../../docs/security.md', import.meta.url), 'utf8');
    for (const [name, most] of Object.entries(limits)) {
      const shown = name.endsWith('Bytes')
        ? most >= 2 ** 20
          ? `${most / 2 ** 20} MiB`
          : `${most / 2 ** 10} KiB`
        : most.toLocaleString('en');
      assert.match(text, new RegExp(`\\| \`${name}\` \\| ${shown} \\|`), `${name}: ${shown}`);
    }
  });
});
