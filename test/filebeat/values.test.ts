import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { faultCodes, faultText } from '../../src/filebeat/faults.js';
import {
  applies,
  compareReleases,
  parseRelease,
  type ReleaseRule,
  type RuleId,
  releaseRules,
} from '../../src/filebeat/releases/releases.js';
import { parseDuration, parseSize } from '../../src/filebeat/tree/checks.js';
import { formatFloat, parseGoFloat, parseGoInt } from '../../src/filebeat/tree/go-number.js';
import { parseValue } from '../../src/filebeat/tree/value.js';

describe('values of overrides and variables', () => {
  const rows: [text: string, value: unknown][] = [
    ['', null],
    ['  a b  ', 'a b'],
    ['true', true],
    ['on', true],
    ['t', true],
    ['OFF', false],
    ['yes', 'yes'],
    ['null', null],
    ['12', 12],
    ['-12', -12],
    ['0x10', 16],
    ['010', 8],
    ['0o10', 8],
    ['0b11', 3],
    ['1_000', 1000],
    ['08', { float: 8 }],
    ['1.5', { float: 1.5 }],
    ['1e3', { float: 1000 }],
    ['a,b', ['a', 'b']],
    ['a,', ['a', null]],
    ['[1, x]', [1, 'x']],
    ['[]', null],
    ['[1,]', [1]],
    [':9000', ':9000'],
    ['127.0.0.1:9', '127.0.0.1:9'],
    ['{a: 1, b: [x]}', { a: 1, b: ['x'] }],
    ["'a,b'", 'a,b'],
    ['"a\\tb\\x41"', 'a\tbA'],
    ['18446744073709551615', 18446744073709551615n],
  ];
  for (const [text, value] of rows) {
    test(`${JSON.stringify(text)} is read`, () => {
      const read = parseValue(text);
      assert.ok(read.ok);
      // PlainMaps have no prototype, which deepEqual would report.
      assert.deepEqual(typeof read.value === 'bigint' ? read.value : JSON.parse(JSON.stringify(read.value)), value);
    });
  }
  for (const text of [
    '[::1]:9',
    '[1',
    '{a',
    '{a: 1',
    '"x',
    "'x",
    '"a"b',
    ',a',
    '{a: "b" }',
    '"\\q"',
    '['.repeat(300),
  ]) {
    test(`${JSON.stringify(text.slice(0, 20))} is refused`, () => assert.equal(parseValue(text).ok, false));
  }
  test('without objects a brace is a letter', () => {
    assert.deepEqual(parseValue('{a}', { objects: false }), { ok: true, value: '{a}' });
  });
  test('numbers as Go prints and reads them', () => {
    assert.deepEqual([9106, 1.5, 1e6, 1e-5, 123456, 1234567].map(formatFloat), [
      '9106',
      '1.5',
      '1e+06',
      '1e-05',
      '123456',
      '1.234567e+06',
    ]);
    assert.deepEqual(
      ['+7', '0x', '1__0', '9223372036854775808', '-0b1'].map((text) => parseGoInt(text, true)),
      [7, undefined, undefined, undefined, -1],
    );
    assert.deepEqual(['.5', '5.', '1_0.5', '0x1p4', '1e999', 'e5'].map(parseGoFloat), [
      0.5,
      5,
      10.5,
      16,
      undefined,
      undefined,
    ]);
  });
});

describe('sizes and durations', () => {
  const sizes: [text: string, bytes: number | undefined][] = [
    ['10KiB', 10240],
    ['10kb', 10000],
    ['1 MiB', 1048576],
    ['1,000', 1000],
    ['0', 0],
    ['1.5k', 1500],
    ['-5', undefined],
    ['', undefined],
    ['KiB', undefined],
    ['10 parrots', undefined],
    ['20EiB', undefined],
  ];
  for (const [text, bytes] of sizes) test(`size ${JSON.stringify(text)}`, () => assert.equal(parseSize(text), bytes));
  const durations: [text: string, nanoseconds: number | undefined][] = [
    ['1h5m', 3_900_000_000_000],
    ['300ms', 300_000_000],
    ['-1s', -1_000_000_000],
    ['0', 0],
    ['1.5s', 1_500_000_000],
    ['30', undefined],
    ['', undefined],
    ['soon', undefined],
    ['1d', undefined],
  ];
  for (const [text, nanoseconds] of durations)
    test(`duration ${JSON.stringify(text)}`, () => assert.equal(parseDuration(text), nanoseconds));
});

describe('releases', () => {
  test('versions are read as packages write them', () => {
    assert.deepEqual(['8.19.21', 'v9.6.0-SNAPSHOT', '9', '8.19', 'nine', ''].map(parseRelease), [
      [8, 19, 21],
      [9, 6, 0],
      [9, 0, 0],
      [8, 19, 0],
      undefined,
      undefined,
    ]);
    assert.ok(compareReleases([8, 9, 0], [8, 10, 0]) < 0);
  });
  const holds = (rule: RuleId, ...versions: string[]): boolean[] =>
    versions.map((version) => applies(rule, parseRelease(version)!));
  test('a fix reached several lines at several patches', () => {
    assert.deepEqual(
      holds('udp-busy-retry', '8.6.9', '8.7.0', '8.19.3', '8.19.4', '9.0.7', '9.0.8', '9.1.4', '9.1.5', '9.2.0'),
      [false, true, true, false, true, false, true, false, false],
    );
    assert.deepEqual(holds('reload-keeps-port', '7.17.5', '7.17.6', '8.0.0', '8.3.2', '8.3.3'), [
      false,
      true,
      false,
      false,
      true,
    ]);
  });
  test('every rule describes both sides, and its ranges ascend', () => {
    for (const [id, rule] of Object.entries(releaseRules)) {
      assert.ok(rule.subject && rule.before && rule.after && rule.before !== rule.after, id);
      for (const { from, below } of rule.ranges as readonly {
        from: [number, number, number];
        below?: [number, number, number];
      }[]) {
        if (below) assert.ok(compareReleases(from, below) < 0, id);
      }
    }
  });
});

test('every rule names the releases between which it was observed, and it differs between them', () => {
  for (const [id, { seen }] of Object.entries(releaseRules) as [RuleId, ReleaseRule][]) {
    if (typeof seen === 'string') continue;
    const pairs = 'source' in seen ? [seen.source] : seen;
    assert.ok(pairs.length > 0, id);
    for (const [older, newer] of pairs) {
      const [before, after] = [parseRelease(older)!, parseRelease(newer)!];
      assert.ok(compareReleases(before, after) < 0, id);
      assert.notEqual(applies(id, before), applies(id, after), `${id}: ${older} and ${newer}`);
    }
  }
});

test('every reason has one sentence, with or without its subject', () => {
  for (const code of faultCodes) {
    for (const subject of ['thing', undefined]) {
      const text = faultText({ code, ...(subject ? { subject } : {}) });
      assert.match(text, /^[A-Z/].*\.$/s, code);
      assert.doesNotMatch(text, /\{subject|\|/, code);
    }
  }
});
