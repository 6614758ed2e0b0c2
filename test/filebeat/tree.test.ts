import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { treeFromYaml } from '../../src/filebeat/tree/build.js';
import { mergeInto } from '../../src/filebeat/tree/merge.js';
import { get, toPlain, toText } from '../../src/filebeat/tree/read.js';
import { copyTree, type Tree } from '../../src/filebeat/tree/tree.js';
import type { Scope } from '../../src/filebeat/tree/variables.js';
import { parseYaml } from '../../src/filebeat/yaml/yaml.js';
import { noScope } from '../support/scope.js';

function tree(text: string): Tree {
  const yaml = parseYaml(Buffer.from(text));
  assert.ok(yaml.ok, 'test text is YAML');
  const built = treeFromYaml(yaml.root, { file: 'f.yml', rules: { maxIndex: 1024 }, clashes: [] });
  assert.ok(built.ok, 'test text is a tree');
  return built.value;
}

function plain(value: Tree, scope: Scope = noScope): unknown {
  const read = toPlain(value, scope);
  // Through JSON, because PlainMaps have no prototype.
  return read.ok ? JSON.parse(JSON.stringify(read.value)) : read.fault.code;
}

function clashes(text: string): string[] {
  const yaml = parseYaml(Buffer.from(text));
  assert.ok(yaml.ok);
  const build = { file: 'f.yml', rules: { maxIndex: 1024 }, clashes: [] as { path: string }[] };
  treeFromYaml(yaml.root, build as Parameters<typeof treeFromYaml>[1]);
  return build.clashes.map(({ path }) => path);
}

describe('keys', () => {
  const rows: [fact: string, text: string, expected: unknown][] = [
    ['dots make sections', 'a.b.c: 1', { a: { b: { c: 1 } } }],
    ['dots and sections join', 'a.b: 1\na: {c: 2}', { a: { b: 1, c: 2 } }],
    ['numbers are places in a list', 'a.0: x\na.1: z', { a: ['x', 'z'] }],
    ['Go writes numbers in other ways too', 'a.0x1: z\na.0: x', { a: ['x', 'z'] }],
    ['a missing index becomes null', 'a.1: z', { a: [null, 'z'] }],
    ['a quoted number in a map is a place', 'a: {"0": x, "1": z}', { a: ['x', 'z'] }],
    ['names and places may stand together', 'a: {"0": x, b: z}', { a: { '0': 'x', b: 'z' } }],
    ['an empty section is null', 'a: {}', { a: null }],
    ['an empty list stays a list', 'a: []', { a: [] }],
    ['a null in a second spelling has no effect', 'a: {b: 1}\na.b: ~', { a: { b: 1 } }],
  ];
  for (const [fact, text, expected] of rows) test(fact, () => assert.deepEqual(plain(tree(text)), expected));
  test('two spellings of one value clash', () => assert.deepEqual(clashes('a.b: 1\na: {b: 2}'), ['a.b']));
  test('two spellings of one list clash element by element', () =>
    assert.deepEqual(clashes('a: {l: [x, z]}\na.l: [z]'), ['a.l.0']));
  test('two spellings of different settings do not clash', () => assert.deepEqual(clashes('a.b: 1\na: {c: 2}'), []));
});

describe('one tree merged into another', () => {
  const rows: [fact: string, to: string, from: string, expected: unknown][] = [
    ['values are replaced', 'a: 1', 'a: 2', { a: 2 }],
    ['sections are joined', 'a: {b: 1}', 'a: {c: 2}', { a: { b: 1, c: 2 } }],
    ['lists are joined place by place', 'a: [{x: 1}, {x: 2}]', 'a: [{z: 3}]', { a: [{ x: 1, z: 3 }, { x: 2 }] }],
    ['longer lists add their rest', 'a: [1]', 'a: [2, 3]', { a: [2, 3] }],
    ['null removes a value', 'a: 1', 'a: ~', { a: null }],
    ['null leaves a section alone', 'a: {b: 1}', 'a: ~', { a: { b: 1 } }],
    ['an empty list leaves a list alone', 'a: [1]', 'a: []', { a: [1] }],
    ['a null place leaves a list element alone', 'a: [{x: 1}, {x: 2}]', 'a: [~, {x: 3}]', { a: [{ x: 1 }, { x: 3 }] }],
    ['a value replaces a section', 'a: {b: 1}', 'a: 2', { a: 2 }],
    ['a section replaces a value', 'a: 1', 'a: {b: 2}', { a: { b: 2 } }],
  ];
  for (const [fact, to, from, expected] of rows) {
    test(fact, () => {
      const merged = tree(to);
      mergeInto(merged, tree(from), noScope);
      assert.deepEqual(plain(merged), expected);
    });
  }
  test('null merged into null is a section, not a string', () => {
    const merged = tree('a: ~');
    mergeInto(merged, tree('a: ~'), noScope);
    const found = get(merged, 'a', noScope);
    assert.ok(found.ok && found.value && !toText(found.value, noScope).ok);
  });
});

describe('variables', () => {
  const env: Scope = {
    ...noScope,
    env: {
      P: '9001',
      L: 'a,b',
      B: '[1, 2]',
      Q: '"q u"',
      E: '',
      O: '{a: 1}',
      S: ' 7 ',
      'my.port': '5',
      N: 'P',
      H: '[::1]:9',
    },
  };
  const value = (text: string, scope: Scope = env): unknown => {
    const all = plain(tree(text), scope);
    return typeof all === 'string' ? all : (all as { v: unknown }).v;
  };
  const rows: [fact: string, text: string, expected: unknown][] = [
    ['a number from the environment is a number', 'v: ${P}', 9001],
    ['a number in the middle of a text stays text', 'v: x${P}y', 'x9001y'],
    ['a comma makes a list', 'v: ${L}', ['a', 'b']],
    ['brackets make a list', 'v: ${B}', [1, 2]],
    ['quotes are removed', 'v: ${Q}', 'q u'],
    ['braces are text', 'v: ${O}', '{a: 1}'],
    ['an empty variable counts as undefined', 'v: ${E:d}', 'd'],
    ['a default is read like a value', 'v: ${NO:12}', 12],
    ['a default may hold colons', 'v: ${NO:127.0.0.1:9}', '127.0.0.1:9'],
    ['a default may hold a variable', 'v: ${NO:${P}}', 9001],
    ['an alternative is used when the name is defined', 'v: x${P:+y}', 'xy'],
    ['an alternative is empty without the variable', 'v: x${NO:+y}', 'x'],
    ['a name may be put together', 'v: ${${N}}', 9001],
    ['a message is not used when the name is defined', 'v: ${P:?m}', 9001],
    ['a message fails otherwise', 'v: ${NO:?m}', 'undefined-variable'],
    ['an undefined name fails', 'v: ${NO}', 'undefined-variable'],
    ['blanks belong to a name', 'v: ${ P }', 'undefined-variable'],
    ['a doubled dollar is one', 'v: $${P}', '${P}'],
    ['a dollar alone is a dollar', 'v: a$b', 'a$b'],
    ['a setting comes before the environment', 'P: 1\nv: ${P}', 1],
    ['a whole section may be referred to', 'o: {a: 1}\nv: ${o}', { a: 1 }],
    ['a section cannot be part of a text', 'o: {a: 1}\nv: x${o}', 'wrong-type'],
    ['a cycle fails', 'v: ${w}\nw: ${v}', 'reference-cycle'],
    ['a setting twice in one text counts as a cycle', 'o: 1\nv: ${o}${o}', 'reference-cycle'],
    ['a variable twice in one text does not', 'v: ${P}${P}', 90019001],
    ['an invalid list fails', 'v: ${H}', 'bad-value-text'],
    ['a default is parsed once more', 'v: "${NO:[::1]:9}"', 'bad-value-text'],
    ['blanks around a number fall away', 'v: "a${S}b"', 'a7b'],
    ['names of the environment may hold dots', 'v: ${my.port}', 5],
  ];
  for (const [fact, text, expected] of rows) test(fact, () => assert.deepEqual(value(text), expected));
  test('before 7.17 blanks stay, and names with dots are not looked up in the environment', () => {
    const old = { ...env, envTrims: false, envDots: false };
    assert.equal(value('v: "a${S}b"', old), 'a 7 b');
    assert.equal(value('v: ${my.port}', old), 'undefined-variable');
  });
  test('in 6.8 braces make an object', () =>
    assert.deepEqual(value('v: ${O}', { ...env, envObjects: true }), { a: 1 }));
  test('a name is looked up in the root of its own tree', () => {
    const root = tree('my: 1\nlist: [{v: "${my}"}]');
    const [entry] = (root.names.get('list') as Tree).items as Tree[];
    assert.deepEqual(plain(entry!), { v: 1 });
    assert.equal(plain(copyTree(entry!)), 'undefined-variable');
  });
  test('a name that may be in the keystore is unknown, not undefined', () => {
    const read = toPlain(tree('v: ${SECRET}'), { ...env, keystore: true });
    assert.ok(!read.ok && read.unresolved === 'keystore');
  });
  test('without the environment a name is unknown, not undefined', () => {
    const read = toPlain(tree('v: ${SECRET:9}'), { ...env, env: undefined });
    assert.ok(!read.ok && read.unresolved === 'variable');
  });
  test('a computed name never appears in a fault', () => {
    const read = toPlain(tree('v: ${${N}x}'), env);
    assert.ok(!read.ok && read.fault.subject === undefined);
  });
  test('an open brace fails the whole file', () => {
    const yaml = parseYaml(Buffer.from('a: 1\nb: ${x'));
    assert.ok(yaml.ok);
    const built = treeFromYaml(yaml.root, { file: 'f.yml', rules: { maxIndex: 1024 }, clashes: [] });
    assert.deepEqual(built, { ok: false, fault: { code: 'bad-expansion', at: { file: 'f.yml', line: 2 } } });
  });
});
