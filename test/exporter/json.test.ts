import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { statusDocument } from '../../src/exporter/json/status-json.js';
import { entryTitles } from '../../src/words/entry.js';
import { hostileNames, many, port, report, running, takenAt, troubled, watched } from '../support/report.js';

const document = (r = troubled()) => statusDocument(r, '0.1.0');

test('the document has every part of the contract', () => {
  const keys = [
    'version',
    'scanned_at',
    'duration_seconds',
    'host',
    'instances',
    'ports',
    'mismatches',
    'gaps',
  ] as const;
  for (const key of keys) assert.ok(key in document(), key);
  assert.equal(document().version, '0.1.0');
  assert.equal(document().scanned_at, takenAt);
});

test('an instance that is down has no pid and reports its strongest origin', () => {
  const lab = document().instances.find((i) => i.name === 'lab');
  assert.ok(lab);
  assert.deepEqual([lab.pid, lab.up, lab.healthy, lab.origin], [null, false, false, 'systemd']);
});

test('a taken port names its owner, but has no figures of the owner’s socket', () => {
  const stolen = document().ports.find((p) => p.name === 'edge');
  assert.ok(stolen);
  assert.deepEqual(stolen.owners, [{ pid: 4711, process: 'rsyslogd' }]);
  assert.deepEqual([stolen.up, stolen.status, stolen.receive_queue_bytes], [false, 'taken', null]);
});

test('a port that cannot be judged is null, not false', () => {
  const [unknown] = document(
    report({ instances: [{ is: running('core'), ports: [port(9000, { status: 'unknown' })] }] }),
  ).ports;
  assert.equal(unknown?.up, null);
});

test('a mismatch carries its sentences, where it was declared and since when', () => {
  const missing = document().mismatches.find((m) => m.code === 'port_missing');
  assert.ok(missing);
  assert.equal(missing.severity, 'critical');
  assert.equal(missing.declared_in, '/etc/filebeat/core.yml:12');
  assert.equal(missing.since, takenAt - 90);
  for (const said of [missing.expected, missing.seen, missing.cause, missing.remedy]) assert.notEqual(said, '');
});

test('hostile names survive a round trip through JSON', () => {
  for (const name of Object.values(hostileNames)) {
    const parsed = JSON.parse(JSON.stringify(document(report({ instances: [{ is: running(name) }] }))));
    assert.equal(parsed.instances[0].name, name);
  }
});

test('no value in the document is undefined, so no field is omitted', () => {
  const walk = (value: unknown, path: string): void => {
    assert.notEqual(value, undefined, path);
    if (typeof value === 'object' && value !== null)
      for (const [k, v] of Object.entries(value)) walk(v, `${path}.${k}`);
  };
  for (const r of [troubled(), report(), many(2, 2, 1)]) walk(document(r), '$');
});

test('docs/api.md names every field and every event', () => {
  const text = readFileSync(new URL('../../../docs/api.md', import.meta.url), 'utf8');
  const named = new Set([...text.matchAll(/`([\w-]+)(?:\[\])?`/g)].map((m) => m[1]));
  const r = document(watched());
  for (const field of [...Object.keys(r), ...Object.keys(r.history), ...Object.keys(r.history.ports[0]!)].filter(
    (key) => !['name', 'protocol', 'address', 'port'].includes(key),
  ))
    assert.ok(named.has(field), field);
  for (const field of [...Object.keys(r.journal[0]!), ...Object.keys(entryTitles)]) assert.ok(named.has(field), field);
});

test('the journal has its newest entry first and marks failures', () => {
  const { journal } = document(watched());
  assert.deepEqual(
    journal.slice(0, 3).map(({ event, failure, name, text }) => [event, failure, name, text]),
    [
      ['lost', true, 'core', 'udp *:9001'],
      ['taken', true, 'edge', 'udp *:514 by pid 4711 (rsyslogd)'],
      ['stopped', true, 'lab', 'pid 300 crashed or was killed'],
    ],
  );
});

test('the history has times and values of changes, and omits ports without a change', () => {
  const { history } = document(watched());
  assert.equal(history.samples.at(-1), takenAt);
  const stolen = history.ports.find(({ name }) => name === 'edge');
  assert.deepEqual(stolen?.up, [
    [takenAt - 2400, 1],
    [takenAt - 90, 0],
  ]);
  assert.equal(
    history.ports.some((one) => one.protocol === 'tcp'),
    false,
  );
  assert.deepEqual(document(report()).history, { samples: [], instances: [], ports: [] });
});
