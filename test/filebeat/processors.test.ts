import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { predicted, summary } from '../support/filebeat.js';

const INPUTS = 'filebeat.inputs:\n- {type: udp, host: "127.0.0.1:7001"}\n';
const RUNS = 'udp 127.0.0.1:7001';

/** `release`: by default the newest. */
type Row = [fact: string, processor: string, expected: string, release?: string];

function rows(list: Row[]): void {
  for (const [fact, processor, expected, release] of list)
    test(fact, () => {
      const main = `${INPUTS}processors:\n- ${processor.replaceAll('\n', '\n  ')}\n`;
      const made = {
        main,
        ...(release ? { release } : {}),
        files: {
          '/etc/fb/good.js': 'function process(event) {}',
          '/etc/fb/bad.js': 'function process(',
          '/etc/fb/own/module/bad.js': 'function process(',
          '/etc/fb/module/bad.js': 'function process(',
          '/etc/fb/loose.js': { text: 'function process(event) {}', mode: 0o664 },
        },
      };
      assert.equal(summary(predicted(made)), expected === 'runs' ? RUNS : expected);
    });
}

describe('the form of a list of processors', () => {
  rows([
    ['two names in one element are one too many', 'drop_event:\nadd_locale:', 'exits: bad-processor'],
    ['an element without a name', '', 'exits: bad-processor'],
    ['a name that does not exist', 'drop_events:', 'exits: unknown-processor'],
    ['settings that are a text', 'add_locale: offset', 'exits: wrong-type'],
    ['an empty list of branches', '{if: {has_fields: [a]}, then: []}', 'runs'],
    ['a branch with one processor', '{if: {has_fields: [a]}, then: {drop_event: }}', 'runs'],
    ['an empty branch', '{if: {has_fields: [a]}, then: }', 'exits: missing-setting'],
    ['a faulty processor in else', '{if: {has_fields: [a]}, then: [], else: [{drop: }]}', 'exits: unknown-processor'],
    [
      'an undefined variable in else',
      '{if: {has_fields: [a]}, then: [], else: "${NOPE}"}',
      'exits: undefined-variable',
    ],
  ]);
});

describe('required and allowed names of a processor', () => {
  rows([
    ['a name that is needed', 'rename: {ignore_missing: true}', 'exits: missing-setting'],
    ['a needed name may be null', 'rename: {fields: }', 'runs'],
    [
      'a name beside the allowed ones',
      'include_fields: {fields: [a], ignore_missing: true}',
      'exits: setting-not-allowed',
    ],
    ['any name where none is forbidden', 'rename: {fields: [{from: a, to: b}], ignore: true}', 'runs'],
    [
      'some take no condition',
      'urldecode: {fields: [{from: a}], when: {has_fields: [a]}}',
      'exits: setting-not-allowed',
    ],
    ['one of two limits', 'truncate_fields: {fields: [a]}', 'exits: missing-setting'],
    [
      'not both limits',
      'truncate_fields: {fields: [a], max_bytes: 1, max_characters: 1}',
      'exits: more-than-one-choice',
    ],
    ['append before it existed', 'append: {target_field: a}', 'exits: unknown-processor', '7.17.16'],
    ['lowercase before it existed', 'lowercase: {fields: [a]}', 'exits: unknown-processor', '8.16.0'],
    ['syslog since 8.2', 'syslog: {field: a}', 'runs', '8.2.0'],
    ['syslog before 8.2', 'syslog: {field: a}', 'exits: unknown-processor', '8.1.3'],
    ['processors for Windows', 'translate_sid: {field: a}', 'exits: unknown-processor', '7.17.16'],
  ]);
});

describe('settings that a processor reads', () => {
  rows([
    ['an undefined variable in a setting that it reads', 'add_tags: {tags: ["${NOPE}"]}', 'exits: undefined-variable'],
    ['an undefined variable in a setting that it does not read', 'add_locale: {note: "${NOPE}"}', 'runs', '9.3.9'],
    ['the same from 9.6 on', 'add_locale: {note: "${NOPE}"}', 'exits: undefined-variable', '9.6.0'],
    ['settings below an undefined section are absent', 'add_host_metadata: {netinfo: "${NOPE}"}', 'runs', '9.3.9'],
    ['a map without anything in it', 'add_fields: {fields: {a: }}', 'exits: missing-setting'],
    ['a map of texts', 'decode_csv_fields: {fields: {a: [b]}}', 'exits: wrong-type'],
    ['an empty text in a list that is needed', 'add_tags: {tags: [""]}', 'exits: missing-setting'],
    ['a word that it does not know', 'fingerprint: {fields: [a], method: md4}', 'exits: bad-value'],
    ['words in any case', 'fingerprint: {fields: [a], method: SHA1, encoding: Base32}', 'runs'],
    ['a number below its least', 'decode_json_fields: {fields: [a], max_depth: 0}', 'exits: bad-value'],
    ['a duration without a unit', 'add_cloud_metadata: {timeout: "3"}', 'exits: bad-value'],
    ['a cloud that it does not know', 'add_cloud_metadata: {providers: [mars]}', 'exits: bad-value'],
    ['coordinates', 'add_observer_metadata: {geo: {location: "52.5, 13.4"}}', 'runs'],
    ['a location without coordinates', 'add_observer_metadata: {geo: {location: here}}', 'exits: bad-value'],
    [
      'a field that a process does not have',
      'add_process_metadata: {include_fields: [process.colour]}',
      'exits: bad-value',
    ],
    ['a type to convert to', 'convert: {fields: [{from: a}]}', 'exits: missing-setting'],
    ['places in an array', 'extract_array: {field: a, mappings: {b: -1}}', 'exits: bad-value'],
    ['a rate', 'rate_limit: {limit: "5 / m"}', 'runs'],
    ['a rate for each day', 'rate_limit: {limit: 5/d}', 'exits: bad-value'],
    ['a cache without a store', 'cache: {get: {key_field: a, target_field: b}}', 'exits: missing-setting'],
    ['formats of the same length', 'parse_aws_vpc_flow_log: {format: [version start, start end]}', 'exits: bad-value'],
    ['the caches of dns before 8.11', 'dns: {type: ptr, failure_cache: {ttl: 0}}', 'exits: bad-value', '8.10.5'],
    ['the caches of dns', 'dns: {type: ptr, failure_cache: {ttl: 0}}', 'runs', '8.14.4'],
    ['names between slashes before 8.3', 'drop_fields: {fields: ["/a(/"]}', 'runs', '8.1.3'],
    ['names between slashes', 'drop_fields: {fields: ["/a(/"]}', 'exits: bad-value', '8.14.4'],
    ['a missing replacement', 'replace: {fields: [{field: a, pattern: b}]}', 'exits: missing-setting', '8.16.0'],
    ['an empty replacement', 'replace: {fields: [{field: a, pattern: b, replacement: ""}]}', 'runs', '8.16.0'],
    ['waiting for docker', 'add_docker_metadata: {wait_for_metadata: long}', 'exits: wrong-type', '9.5.0'],
    ['waiting for docker before 9.5', 'add_docker_metadata: {wait_for_metadata: long}', 'runs', '9.3.9'],
  ]);
});

describe('dissect', () => {
  const tokenizer = (text: string): string => `dissect: {tokenizer: '${text}'}`;
  rows([
    ['no key', tokenizer('a b'), 'exits: bad-value'],
    ['an unclosed key after a closed one', tokenizer('%{a} %{b'), 'runs'],
    ['an unknown type', tokenizer('%{a|number}'), 'exits: bad-value'],
    ['a type that is not there', tokenizer('%{a|}'), 'exits: bad-value'],
    ['a value for a key that was not read', tokenizer('%{&a}'), 'exits: bad-value'],
    ['a value for a key that was read', tokenizer('%{?a}=%{&a}'), 'runs'],
    ['order, length and greed', tokenizer('%{+a/2} %{+a/1} %{b#3} %{c->}'), 'runs'],
    ['an unknown way to trim', "dissect: {tokenizer: '%{a}', trim_values: middle}", 'exits: bad-value'],
  ]);
});

describe('timestamp', () => {
  const tested = (layout: string, value: string): string =>
    `timestamp: {field: a, layouts: ['${layout}', UNIX], test: ['${value}']}`;
  rows([
    ['a value that fits', tested('2006-01-02T15:04:05Z07:00', '2020-02-29T01:02:03.5+01:00'), 'runs'],
    ['a day that does not exist', tested('2006-01-02', '2019-02-29'), 'exits: bad-value'],
    ['a number of seconds', tested('2006', '1561225471'), 'runs'],
    ['months by their names', tested('Jan _2 15:04:05', 'Mar  7 10:00:00'), 'runs'],
    ['something behind', tested('2006-01-02', '2019-02-01 later'), 'exits: bad-value'],
    ['a time zone', 'timestamp: {field: a, layouts: [UNIX], timezone: Europe/Berlin}', 'runs'],
    ['an offset', 'timestamp: {field: a, layouts: [UNIX], timezone: "+0530"}', 'runs'],
    ['a zone that does not exist', 'timestamp: {field: a, layouts: [UNIX], timezone: Mars/North}', 'exits: bad-value'],
    ['zones are case-sensitive', 'timestamp: {field: a, layouts: [UNIX], timezone: europe/berlin}', 'exits: bad-value'],
  ]);
});

describe('conditions', () => {
  const when = (condition: string): string => `drop_event: {when: ${condition}}`;
  rows([
    ['nothing', when(''), 'exits: bad-condition'],
    ['an unknown kind', when('{matches: {a: b}}'), 'exits: bad-condition'],
    ['equals refuses a fraction', when('{equals: {a: 1.5}}'), 'exits: bad-condition'],
    ['equals accepts lists', when('{equals: {a: [b, 5, true]}}'), 'runs'],
    ['contains requires a string', when('{contains: {a: 5}}'), 'exits: bad-condition'],
    ['contains is not a regular expression', when('{contains: {a: "[x"}}'), 'runs'],
    ['an expression that Go does not take', when('{regexp: {a: "x(?=y)"}}'), 'exits: bad-condition'],
    ['an expression', when('{regexp: {a: "^(?i:x)[[:digit:]]+$"}}'), 'runs'],
    ['a range of numbers', when('{range: {a.gte: "5", a.lt: 1e3}}'), 'runs'],
    ['a range without its end', when('{range: {a: 5}}'), 'exits: bad-condition'],
    ['names of fields', when('{has_fields: a.b}'), 'runs'],
    ['networks', when('{network: {a.b: [private, "10.0.0.0/8", "fd00::/8"]}}'), 'runs'],
    ['a network without its length', when('{network: {a: 10.0.0.0}}'), 'exits: bad-condition'],
    ['a map where conditions are listed', when('{and: {equals: {a: b}}}'), 'exits: bad-condition'],
    ['a list where one condition is meant', when('{not: [{equals: {a: b}}]}'), 'exits: bad-condition'],
    ['one that is nested', when('{or: [{not: {equals: {a: b}}}, {contains: {a: 1}}]}'), 'exits: bad-condition'],
    ['the second of two is not made', when('{equals: {a: b}, regexp: {a: "("}}'), 'runs'],
    ['the second of two is read', when('{equals: {a: b}, regexp: {a: "${NOPE}"}}'), 'exits: undefined-variable'],
  ]);
});

describe('scripts', () => {
  const source = (text: string): string => `script: {lang: js, source: '${text}'}`;
  const PROCESS = 'function process(event) {}';
  rows([
    ['one that does its work', source(`var n = {a: 1, if: 2}; ${PROCESS}`), 'runs'],
    ['another language', `script: {lang: lua, source: '${PROCESS}'}`, 'exits: bad-value'],
    ['no script', 'script: {lang: js}', 'exits: missing-setting'],
    ['two scripts', `script: {lang: js, source: '${PROCESS}', file: good.js}`, 'exits: more-than-one-choice'],
    ['an error of syntax', source('function process(event) {'), 'exits: script-syntax'],
    ...[
      'const a = 1;',
      'let a = 1;',
      'var f = (x) => x;',
      'class A {}',
      'var a = `x`;',
      'function f(a = 1) {}',
      'var {a} = {};',
      'var b = {a() {}};',
      'var a, b = {a};',
      'for (var a of []) {}',
      'var a = 2 ** 3;',
      'with ({}) {}',
    ].map((later): Row => [`no ECMAScript 5: ${later}`, source(`${later} ${PROCESS}`), 'exits: script-syntax']),
    ...[
      'var of = 1;',
      'var a = /[/]/g.test("x") ? {b: 1} : [1];',
      'var o = {get a() { return 1 }};',
      'l: for (;;) { break l }',
    ].map((old): Row => [`ECMAScript 5: ${old}`, source(`${old} ${PROCESS}`), 'runs']),
    ['an undeclared name', source(`var a = nothing.here; ${PROCESS}`), 'exits: script-throws'],
    ['an exception that depends on a condition is no fault', source(`if (1) { nothing.here } ${PROCESS}`), 'runs'],
    ['no function process', source('function run(event) {}'), 'exits: script-no-process'],
    ['process is a number', source('var process = 5;'), 'exits: script-no-process'],
    ['process is never set', source('var process;'), 'exits: script-no-process'],
    ['test is a number', source(`var test = 5; ${PROCESS}`), 'exits: script-throws'],
    ['patterns of which one has files', 'script: {lang: js, files: ["x*.js", "goo*.js"]}', 'runs'],
    ['patterns without any file', 'script: {lang: js, files: ["x*.js", "y*.js"]}', 'exits: script-missing', '8.16.0'],
    ['a file that others may write to', 'script: {lang: js, file: loose.js}', 'exits: writable-by-others', '8.16.0'],
    [
      'process out of a chain',
      source('var c = require("processor"); var process = new c.Chain().Build().Run;'),
      'runs',
    ],
    [
      'params without a function register',
      `script: {lang: js, source: '${PROCESS}', params: {a: 1}}`,
      'exits: script-no-register',
    ],
    ['a file', 'script: {lang: js, file: good.js}', 'runs'],
    ['a missing file', 'script: {lang: js, file: none.js}', 'exits: script-missing', '8.16.0'],
    ['a file that is faulty', 'script: {lang: js, file: bad.js}', 'exits: script-syntax', '9.0.6'],
    ['one in a folder called module', 'script: {lang: js, file: own/module/bad.js}', 'exits: script-syntax', '9.0.6'],
    ['the scripts of shipped modules are not read', 'script: {lang: js, file: module/bad.js}', 'runs', '9.0.6'],
  ]);

  test('a script that would have to run is a gap, and the prediction goes on', () => {
    for (const text of ['var a = /(?<b>x)(?<b>y)/;', 'function test() { throw 1 }']) {
      const main = `${INPUTS}processors:\n- ${source(`${text} ${PROCESS}`)}\n`;
      const { outcome, gaps } = predicted({ main });
      assert.deepEqual(
        [outcome, gaps.map(({ reason, subject }) => [reason, subject])],
        ['runs', [['unclear', '/etc/fb/filebeat.yml:4']]],
      );
    }
  });

  test('from 8.19.9 a missing script ends every input, but not the process', () => {
    const { outcome, listeners, faults } = predicted({
      main: `${INPUTS}processors: [{script: {lang: js, file: none.js}}]`,
      release: '8.19.21',
    });
    assert.deepEqual([outcome, listeners, faults.map(({ code }) => code)], ['runs', [], ['script-missing']]);
  });

  test('the refused setting has a file and a line', () => {
    const { reason } = predicted({
      main: `${INPUTS}processors:\n- convert:\n    fields:\n    - {from: a, type: number}\n`,
    });
    const { takes, atOnce, ...fault } = reason!;
    assert.equal(atOnce, true, 'it is found before the inputs start');
    assert.deepEqual(fault, {
      code: 'bad-value',
      subject: 'convert.fields.type',
      at: { file: '/etc/fb/filebeat.yml', line: 6 },
    });
    assert.match(takes ?? '', /^one of .*\blong\b/);
  });
});

test('a bad processor of netflow ends the process from 8.13 to 8.15, later only that input', () => {
  const main =
    'filebeat.inputs:\n- {type: netflow, host: "127.0.0.1:2055", processors: [{nope: }]}\n- {type: udp, host: "127.0.0.1:7001"}\n';
  assert.equal(summary(predicted({ main, release: '8.14.4' })), 'exits: unknown-processor');
  assert.equal(summary(predicted({ main, release: '8.16.0' })), RUNS);
});
