import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseYaml, type YamlNode } from '../../src/filebeat/yaml/yaml.js';
import { timed } from '../support/cpu.js';

/** Plain values, so that a row fits on a line. */
function plain(node: YamlNode | undefined): unknown {
  if (node === undefined) return undefined;
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plain);
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]));
}
function read(text: string | Uint8Array, flowColonFatal = false): unknown {
  const result = parseYaml(typeof text === 'string' ? Buffer.from(text) : text, { flowColonFatal });
  return result.ok ? plain(result.root) : `${result.fault.code} line ${result.fault.at?.line}`;
}
const refused = (line: number, code = 'yaml-syntax') => `${code} line ${line}`;

function table(title: string, rows: [fact: string, text: string | Uint8Array, expected: unknown][]): void {
  describe(title, () => {
    for (const [fact, text, expected] of rows) test(fact, () => assert.deepEqual(read(text), expected));
  });
}

table('plain scalars', [
  [
    'y, n, yes, no, on, off are truth values',
    'a: [y, n, yes, No, ON, off, True]',
    { a: [true, false, true, false, true, false, true] },
  ],
  ['mixed capitals are text', 'a: [yEs, oN, tRue]', { a: ['yEs', 'oN', 'tRue'] }],
  ['quoted words are text', `a: ["yes", 'no', "1"]`, { a: ['yes', 'no', '1'] }],
  ['a leading 0 means octal', 'a: [010, 0o17, 0x1F, 0b101, 1_000, -0x10]', { a: [8, 15, 31, 5, 1000, -16] }],
  ['an impossible octal is a decimal fraction', 'a: 09001', { a: 9001 }],
  ['base 60 is text', 'a: [60:30, 1:30]', { a: ['60:30', '1:30'] }],
  ['fractions', 'a: [1.5, .5, 1e3, -.inf, 1.]', { a: [1.5, 0.5, 1000, Number.NEGATIVE_INFINITY, 1] }],
  ['words for null', 'a: [~, null, Null, ]\nb:', { a: [null, null, null], b: null }],
  ['dates stay text', 'a: 2026-01-02', { a: '2026-01-02' }],
  ['a host that begins with a colon', 'host: :9001', { host: ':9001' }],
  ['an address with a port', 'host: 127.0.0.1:9001 # why', { host: '127.0.0.1:9001' }],
  ['a hash without a blank before it is text', 'host: a#b', { host: 'a#b' }],
  ['a plain scalar goes on where it is indented', 'a: b\n  c\n\n  d\ne: f', { a: 'b c\nd', e: 'f' }],
]);

test('integers and floats have different types', () => {
  const types = (text: string) => {
    const result = parseYaml(Buffer.from(text));
    return result.ok && result.root?.kind === 'scalar' ? result.root.type : undefined;
  };
  assert.deepEqual(['1', '1.0', '08', '"1"', '~', 'y'].map(types), ['int', 'float', 'float', 'string', 'null', 'bool']);
});

table('tags', [
  ['!!str keeps a truth word as text', 'a: !!str off', { a: 'off' }],
  ['!!int reads quoted digits', 'a: !!int "20480"', { a: 20480 }],
  ['!!bool reads a truth word', 'a: !!bool off', { a: false }],
  ['an unknown tag only makes a scalar a string', 'a: !foo udp\nb: !foo [1]\nc: !foo 1', { a: 'udp', b: [1], c: '1' }],
  ['!!binary is decoded', 'a: !!binary MTI3LjAuMC4x', { a: '127.0.0.1' }],
  ['broken base64 is fatal', 'a: !!binary "?"', refused(1, 'yaml-tag')],
  ['a tag that does not fit is fatal', 'a: 1\nb: !!int udp', refused(2, 'yaml-tag')],
  ['an undeclared tag handle is fatal', 'a: !x!y z', refused(1)],
]);

table('keys', [
  ['the last of two equal keys wins', 'a: 1\nb: 2\na: 3', { b: 2, a: 3 }],
  ['a number as key is fatal', 'a:\n  - b: 1\n    2: c', refused(3, 'yaml-key')],
  ['a truth word as key is fatal', 'a: {yes: b}', refused(1, 'yaml-key')],
  ['null as key is fatal', 'a:\n  ~: b', refused(2, 'yaml-key')],
  ['a list as key is fatal', '? [a]\n: b', refused(1, 'yaml-key')],
  ['a quoted number is a good key', '"0": a', { '0': 'a' }],
  ['an explicit key', '? a\n: b', { a: 'b' }],
  ['a key of more than 1,024 characters is fatal', `${'k'.repeat(1025)}: 1`, refused(1)],
  ['a value without key at the indentation of keys is fatal', 'a: 1\nb\nc: 2', refused(3)],
]);

table('merge keys and aliases', [
  [
    'a merge key gives way to later keys',
    'd: &d {h: 1, e: n}\na: {<<: *d, h: 2}',
    { d: { h: 1, e: false }, a: { h: 2, e: false } },
  ],
  ['a merge key overrides earlier keys', 'd: &d {h: 1}\na:\n  h: 2\n  <<: *d', { d: { h: 1 }, a: { h: 1 } }],
  ['of several merged maps the first wins', 'a: {<<: [{h: 1}, {h: 2, i: 3}]}', { a: { h: 1, i: 3 } }],
  ['a quoted << is a key', 'a: {"<<": 1}', { a: { '<<': 1 } }],
  ['merging a scalar is fatal', 'a:\n  <<: 1', refused(2, 'yaml-merge')],
  ['an alias of a list', 'a: &a [1, 2]\nb: *a', { a: [1, 2], b: [1, 2] }],
  ['an unknown alias is fatal', 'a: 1\nb: *a', refused(2, 'yaml-alias')],
  ['a glob without quotes is fatal', 'path: *.yml', refused(1)],
  ['an alias inside its own anchor is fatal', 'a: &a [*a]', refused(1, 'yaml-alias')],
  ['anchors hold letters, digits, - and _ only', 'a: &x.y 1', refused(1)],
]);

table('brackets', [
  ['a closing bracket may stand at the margin', 'a: [\n1,\n2\n]\nb: {\nc: d\n}', { a: [1, 2], b: { c: 'd' } }],
  ['an address in brackets', 'a: {host: 127.0.0.1:9001}', { a: { host: '127.0.0.1:9001' } }],
  ['a plain scalar cannot begin with a colon', 'a: {host: :9001}', refused(1)],
  ['a question mark ends a plain scalar', 'a: [/var/log/a?.log]', refused(1)],
  ['a colon before a bracket is text', 'a: [b:, c:]', { a: ['b:', 'c:'] }],
  ['an IPv6 address without quotes is a broken list', 'host: [::1]:9001', refused(1)],
  ['a key without value', 'a: {b, c: }', { a: { b: null, c: null } }],
  ['a pair within a list', 'a: [b: c]', { a: [{ b: 'c' }] }],
  ['tabs between tokens', 'a:\t[\t1,\t2\t]', { a: [1, 2] }],
  ['an open bracket is fatal', 'a: [1\nb: 2', refused(2)],
  ['a whole file of JSON', '{\n "a": {"b":[1,"x"]}\n}', { a: { b: [1, 'x'] } }],
]);

test('Filebeat 6.8 refuses a colon inside a plain scalar in brackets, and only there', () => {
  assert.equal(read('a: {host: 127.0.0.1:9001}', true), refused(1));
  assert.deepEqual(read('host: 127.0.0.1:9001\na: {b: "c:d"}', true), { host: '127.0.0.1:9001', a: { b: 'c:d' } });
});

test('Filebeat 6.8 refuses text after the first document, unless it begins another one', () => {
  const rows: [text: string, expected: unknown][] = [
    ['a: 1\n...\n# b --- c\n...\n', { a: 1 }],
    ['a: 1\n---\n[', { a: 1 }],
    ['a: 1\n...\nb: 2', refused(3)],
    ['  a: 1\nb: 2', refused(2)],
  ];
  for (const [text, expected] of rows) assert.deepEqual(read(text, true), expected, text);
});

table('quotes', [
  ['escapes', String.raw`a: "\x41\u00e9\n\t\"\'\\"`, { a: 'Aé\n\t"\'\\' }],
  ['an unknown escape is fatal', String.raw`a: "C:\d"`, refused(1)],
  ['an escaped slash is unknown', String.raw`a: "b\/c"`, refused(1)],
  ['half a surrogate pair is fatal', String.raw`a: "\ud83d\ude00"`, refused(1)],
  ['two single quotes are one', "a: 'it''s'", { a: "it's" }],
  ['lines fold, at the margin too', 'a: "b\nc\n\nd"\ne: f', { a: 'b c\nd', e: 'f' }],
  ['an unclosed quote is fatal', 'a: "b\nc: d\n', refused(3)],
  ['a comment may touch the quote', 'a: "b"#c', { a: 'b' }],
]);

table('block scalars', [
  ['a literal keeps its line end', 'a: |\n  b\nc: d', { a: 'b\n', c: 'd' }],
  ['a literal at the end of a file without line end has none', 'a: |\n  b', { a: 'b' }],
  ['strip and keep', 'a: >-\n  b\n  c\n\nd: |+\n  e\n\nf: g', { a: 'b c', d: 'e\n\n', f: 'g' }],
  ['an indentation indicator', 'a: |2-\n   b\n  c', { a: ' b\nc' }],
  ['brackets and quotes inside are text', 'a: |\n  [ "\nb: c', { a: '[ "\n', b: 'c' }],
  ['a tab instead of indentation is fatal', 'a: |\n\tb', refused(2)],
]);

table('tabs', [
  ['indentation by tab is fatal', 'a:\n\tb: c', refused(2)],
  ['a line of one tab behind a quoted value is fatal', 'a: "b"\n\t\nc: d', refused(2)],
  ['a comment behind a tab at the margin is fatal', 'a:\n\t# b\n  c: d', refused(2)],
  ['a tab behind the colon', 'a:\tb', { a: 'b' }],
  ['a tab behind a dash is fatal', '-\ta', refused(1)],
]);

table('documents', [
  ['an empty file has no document', '', undefined],
  ['comments only', '# a\n\n# b\n', undefined],
  ['only the first document counts', '---\na: 1\n---\nb: [', { a: 1 }],
  ['text behind the end mark is not read', 'a: 1\n...\n[ {', { a: 1 }],
  ['a directive and both marks', '%YAML 1.1\n---\na: 1\n...\n', { a: 1 }],
  ['YAML 1.2 is refused', '%YAML 1.2\n---\na: 1', refused(1)],
  ['an unknown directive is refused', '%FOO\n---\na: 1', refused(1)],
  ['text indented less than the first line is another document', '  a: 1\nb: 2', { a: 1 }],
  ['… but a broken token there is still fatal', '  a: 1\n"b', refused(2)],
  ['a mark inside brackets is fatal', 'a: [\n---\n]', refused(2)],
  ['a top-level scalar', 'hello', 'hello'],
]);

const utf16 = (text: string, bigEndian: boolean) => {
  const bytes = Buffer.from(`\uFEFF${text}`, 'utf16le');
  return bigEndian ? bytes.swap16() : bytes;
};
table('bytes', [
  ['a byte order mark', '\uFEFFa: 1', { a: 1 }],
  ['UTF-16, little endian', utf16('a: é', false), { a: 'é' }],
  ['UTF-16, big endian', utf16('a: é', true), { a: 'é' }],
  ['CRLF and CR', 'a: 1\r\nb: 2\rc: 3', { a: 1, b: 2, c: 3 }],
  ['an invalid byte in a comment is fatal', Buffer.from('a: 1\n# \xff', 'latin1'), refused(2, 'yaml-encoding')],
  ['an overlong sequence is fatal', Buffer.from('a: \xc0\xaf', 'latin1'), refused(1, 'yaml-encoding')],
  ['a NUL is fatal', 'a: 1\nb: \0', refused(2, 'yaml-encoding')],
  ['a control character in a comment is fatal', 'a: 1 # \x1b[0m', refused(1, 'yaml-encoding')],
]);

test('keys and values have their lines', () => {
  const result = parseYaml(Buffer.from('# c\na:\n  - b: 1\n    c: [\n      2]\nd: "x\n  y"\ne:\n'));
  assert.ok(result.ok && result.root?.kind === 'map');
  const [a, d, e] = result.root.entries;
  assert.deepEqual([a?.line, a?.value.line, d?.line, d?.value.line, e?.line], [2, 3, 6, 6, 8]);
  assert.ok(a?.value.kind === 'list' && a.value.items[0]?.kind === 'map');
  const [b, c] = a.value.items[0].entries;
  assert.ok(c?.value.kind === 'list');
  assert.deepEqual([b?.line, c.line, c.value.line, c.value.items[0]?.line], [3, 4, 4, 5]);
});

test('a fault never quotes the text', () => {
  const result = parseYaml(Buffer.from('password: "hunter2\n'));
  assert.ok(!result.ok);
  assert.ok(!JSON.stringify(result).includes('hunter2'));
});

describe('limits', () => {
  const bomb = [...Array(40).keys()].reduce(
    (text, i) => `${text}a${i}: &a${i} [${Array(9).fill(i === 0 ? 'x' : `*a${i - 1}`)}]\n`,
    '',
  );
  const rows: [string, string | Uint8Array, string][] = [
    ['an alias bomb', bomb, 'yaml-alias'],
    [
      'a merge bomb',
      bomb
        .replaceAll('[', '{<<: [')
        .replaceAll(']', ']}')
        .replace(/\[(x,?)+\]/, '{x: y}'),
      'yaml-alias',
    ],
    ['10,000 levels of brackets', '['.repeat(10_000), 'yaml-limit'],
    ['10,000 levels of dashes', `${'- '.repeat(10_000)}x`, 'yaml-limit'],
    ['900 levels of keys', [...Array(900).keys()].map((i) => `${' '.repeat(i)}k:`).join('\n'), 'ok'],
    ['a text of 5 MB', new Uint8Array(5 * 1024 * 1024).fill(0x20), 'yaml-limit'],
    ['a million digits', `a: ${'1'.repeat(1_000_000)}`, 'ok'],
    ['a list of 30,000 pairs on one line', `a: [${'b: c, '.repeat(30_000)}]`, 'ok'],
    ['50,000 aliases in a chain of lists', `a: &a x\nb: [${Array(50_000).fill('*a')}]`, 'ok'],
  ];
  for (const [fact, text, code] of rows)
    test(`${fact} ends within a second`, () => {
      const { result, seconds } = timed(() => parseYaml(typeof text === 'string' ? Buffer.from(text) : text));
      assert.ok(seconds < 1, `${seconds} s`);
      assert.equal(result.ok ? 'ok' : result.fault.code, code);
    });
});
