import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, duration, grouped, plural, timestamp } from '../../src/exporter/format.js';
import { checkText, type TextOptions } from '../../src/exporter/terminal/check-text.js';
import { exitCode, summary } from '../../src/exporter/terminal/summary.js';
import { cut, painter, safe, table, width, wrap } from '../../src/exporter/terminal/terminal.js';
import type { Mismatch, MismatchCode } from '../../src/model/model.js';
import { hostileNames, instance, many, port, report, running, troubled } from '../support/report.js';

const check = (r = troubled(), over: Partial<TextOptions> = {}) =>
  checkText(r, { color: false, quiet: false, ...over });
const mismatch = (code: MismatchCode): Mismatch => ({ code, name: 'core', cause: { kind: 'none' } });
const healthy = (over = {}) => report({ instances: [{ is: running('core'), ports: [port(9000)] }], ...over });

test('the first line has state, summary and performance data of a monitoring plugin', () => {
  assert.equal(
    check().split('\n')[0],
    'CRITICAL - 1 of 3 instances down, 4 of 7 ports not served | instances_up=2;;;0;3 ports_up=3;;;0;7 critical=3;;;0 warning=0;;;0 unknown=0;;;0 gaps=1;;;0',
  );
  assert.match(check(healthy()), /^OK - 1 instance, 1 port served \| instances_up=1;;;0;1 ports_up=1;;;0;1 /);
});

test('the exit code is the worst of critical, unknown and warning; info does not count', () => {
  const unknownPort = { is: running('core'), ports: [port(9000, { status: 'unknown' })] };
  assert.equal(exitCode(healthy()), 0);
  assert.equal(exitCode(report()), 0);
  assert.equal(exitCode(healthy({ mismatches: [mismatch('config_dynamic')] })), 0);
  assert.equal(exitCode(healthy({ mismatches: [mismatch('queue_high'), mismatch('config_dynamic')] })), 1);
  assert.equal(exitCode(report({ instances: [unknownPort], mismatches: [mismatch('queue_high')] })), 3);
  assert.equal(exitCode(report({ instances: [unknownPort], mismatches: [mismatch('port_missing')] })), 2);
  assert.equal(exitCode(report({ snapshot: { usable: false } })), 3);
  const hidden = { up: undefined, healthy: undefined } as object;
  assert.equal(exitCode(report({ instances: [{ is: instance('core', { hidden: true }), verdict: hidden }] })), 3);
});

test('a starting port counts as starting, not as down', () => {
  const r = report({
    instances: [{ is: running('core'), ports: [port(9000), port(9001, { status: 'starting', up: false })] }],
  });
  assert.equal(summary(r), '1 instance, 2 ports, 1 starting');
  assert.equal(exitCode(r), 0);
});

test('the summary counts critical mismatches if nothing is down', () => {
  assert.equal(
    summary(healthy({ mismatches: [mismatch('config_invalid')] })),
    '1 instance, 1 port served, 1 critical mismatch',
  );
});

test('the summary says so when there is no Filebeat', () => {
  assert.equal(summary(report()), 'no Filebeat runs here and none is expected');
  const hidden = report();
  hidden.snapshot.gaps = [{ reason: 'unclear', subject: 'filebeat.service' }];
  assert.equal(summary(hidden), 'no Filebeat is known to run or to be expected here, but 1 thing could not be seen');
});

test('the only bar is the one before the performance data, whatever names contain', () => {
  const name = 'a|b=1;2';
  const instances = [{ is: running(name, 100, { config: name, unit: name }), ports: [port(9000, { input: name })] }];
  const codes: MismatchCode[] = ['instance_down', 'buffer_capped', 'port_taken'];
  const mismatches = codes.map(
    (code): Mismatch => ({
      code,
      name,
      unit: name,
      cause:
        code === 'buffer_capped'
          ? { kind: 'rmem-max', wanted: 1, granted: 1 }
          : { kind: 'held-by', retry: 'never', owner: { pid: 1, comm: name, startTicks: 0 } },
    }),
  );
  const gaps = [{ reason: 'denied' as const, subject: name, detail: name }];
  for (const color of [false, true]) {
    const text = check(report({ instances, mismatches, snapshot: { gaps } }), { color });
    assert.equal(text.split('|').length, 2);
    assert.match(text.split('\n')[0]!, / \| instances_up=/);
    assert.match(text, /a\\x7cb=1;2/);
  }
});

test('--quiet prints only the first line', () => {
  assert.equal(check(troubled(), { quiet: true }), `${check().split('\n')[0]}\n`);
});

test('mismatches come before the tables, with cause and the command to try', () => {
  const text = check();
  assert.ok(text.indexOf('Nothing is listening') < text.indexOf('INSTANCE'));
  assert.match(text, / {2}try {7}systemctl restart filebeat@core\.service\n/);
  assert.match(text, / {2}for {7}1m 30s\n/);
});

test('without colour there is no escape sequence, and with colour none from a name', () => {
  assert.ok(!check().includes('\u001b'));
  const instances = Object.values(hostileNames).map((name) => ({
    is: running(name, 100, { config: name, unit: name }),
    ports: [port(9000, { address: name, input: name })],
  }));
  const gaps = Object.values(hostileNames).map((subject) => ({ reason: 'denied' as const, subject, detail: subject }));
  const mismatches = Object.values(hostileNames).map((name) => ({
    ...mismatch('instance_down'),
    name,
    unit: name,
    subject: name,
  }));
  const text = check(report({ instances, mismatches, snapshot: { gaps } }), { color: true, columns: 80 });
  const foreign = text.replace(/\u001b\[\d+m/g, '');
  assert.doesNotMatch(foreign, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  assert.match(foreign, /\\x1b\[31/);
  assert.ok(foreign.includes('\\u202e'));
});

test('tables fit a narrow terminal: columns are truncated, then dropped', () => {
  for (const columns of [40, 60, 80, 120]) {
    const rows = check(many(3, 3, 1), { columns })
      .split('\n')
      .filter((line) => line.startsWith('core-') || line.startsWith('INSTANCE'));
    assert.ok(rows.length > 0);
    for (const row of rows) assert.ok(width(row) <= columns, `${columns}: ${row}`);
  }
  assert.doesNotMatch(check(many(1, 1), { columns: 40 }), /DECLARED IN/);
  assert.match(check(many(1, 1), { columns: 160 }), /DECLARED IN/);
});

test('thousands of served ports are counted, not listed; those in trouble are listed', () => {
  const text = check(many(500, 20, 3));
  assert.equal(text.split('\n').filter((line) => line.includes(' missing ')).length, 3);
  assert.match(text, /9,997 more ports not listed/);
});

test('a 4 KB name does not make a table wider than its limit', () => {
  for (const line of check(report({ instances: [{ is: running(hostileNames.long), ports: [port(9000)] }] })).split(
    '\n',
  ))
    assert.ok(width(line) < 600);
});

test('wide characters are two columns, combined ones are one grapheme', () => {
  assert.deepEqual([width('abc'), width('日本'), width('👩‍🚀'), width('žlutý')], [3, 4, 2, 5]);
  assert.deepEqual([cut('abcdef', 4), cut('日本語', 4), cut('ab', 4)], ['abc…', '日…', 'ab']);
});

test('control characters are spelled out', () => {
  assert.equal(safe('a\u001b[2J\u009bz\u202e\n'), 'a\\x1b[2J\\x9bz\\u202e\\x0a');
  assert.equal(safe('žluťoučký 👩‍🚀'), 'žluťoučký 👩‍🚀');
});

test('a table aligns columns and paints cells', () => {
  const rows = [
    [{ text: 'a' }, { text: '1', colour: 'red' as const }],
    [{ text: 'bb' }, { text: '22' }],
  ];
  const columns = [
    { title: 'N', least: 1 },
    { title: 'V', least: 1, align: 'right' as const },
  ];
  assert.deepEqual(table(columns, rows, painter(false)), ['N    V', 'a    1', 'bb  22']);
  assert.equal(table(columns, rows, painter(true))[1], 'a    \u001b[31m1\u001b[39m');
});

test('figures are readable', () => {
  assert.deepEqual([0, 45, 200, 7500, 90_000, 1_036_800].map(duration), [
    '0s',
    '45s',
    '3m 20s',
    '2h 5m',
    '1d 1h',
    '12d',
  ]);
  assert.deepEqual([0, 1023, 212_992, 1_610_612_736].map(bytes), ['0 B', '1023 B', '208 KiB', '1.5 GiB']);
  assert.deepEqual(
    [grouped(999), grouped(1_234_567), plural(1, 'port'), plural(2, 'port')],
    ['999', '1,234,567', '1 port', '2 ports'],
  );
  assert.equal(timestamp(1_790_000_000.9), '2026-09-21 14:13:20Z');
  assert.equal(timestamp(Number.NaN), '');
});

test('long text is wrapped by its width in columns, and a long word stays whole', () => {
  assert.deepEqual(wrap('the file of 日志 收集 节点 一号 机房', 20), ['the file of 日志', '收集 节点 一号 机房']);
  const path = '/etc/filebeat/inputs.d/a-name-that-is-longer-than-the-line.yml';
  assert.deepEqual(wrap(`see ${path} first`, 20), ['see', path, 'first']);
  assert.deepEqual(wrap('too narrow to be broken at all', 19), ['too narrow to be broken at all']);
});
