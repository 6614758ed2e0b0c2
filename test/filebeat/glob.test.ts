import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { goGlob, goMatch } from '../../src/filebeat/files/glob.js';
import { timed } from '../support/cpu.js';
import { memoryFiles } from '../support/memory-files.js';

describe('a pattern', () => {
  const rows: [pattern: string, name: string, answer: boolean | undefined][] = [
    ['*.yml', 'a.yml', true],
    ['*.yml', '.yml', true],
    ['*.yml', 'a.yml.disabled', false],
    ['*', 'a/b', false],
    ['a/*', 'a/b', true],
    ['**', 'a/b', false],
    ['a**b', 'axxb', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['*a', 'ba/a', false],
    ['{a,b}.yml', 'a.yml', false],
    ['{a,b}.yml', '{a,b}.yml', true],
    ['?.yml', 'é.yml', true],
    ['?', '/', false],
    ['[a-c]x', 'bx', true],
    ['[^a-c]x', 'bx', false],
    ['[^a-c]x', 'dx', true],
    ['[*]', '*', true],
    ['[\\]]', ']', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['', '', true],
    ['', 'a', false],
    ['[]a]', ']', undefined],
    ['[a', 'a', undefined],
    ['b[a', 'a', undefined],
    ['b*[a', 'a', false],
    ['a[-]', 'a-', undefined],
    ['[a-', 'a', undefined],
    ['\\', 'a', undefined],
    ['x*[', 'xa', undefined],
  ];
  for (const [pattern, name, answer] of rows)
    test(`${pattern} on ${name}: ${answer ?? 'malformed'}`, () => assert.equal(goMatch(pattern, name), answer));
});

const files = memoryFiles({
  '/etc/f/a.yml': '',
  '/etc/f/b.yml': '',
  '/etc/f/.c.yml': '',
  '/etc/f/d.yml.disabled': '',
  '/etc/g/a.yml': '',
  '/etc/g/deep/a.yml': '',
  '/etc/h': { denied: true },
});
const found = (pattern: string) => {
  const result = goGlob(pattern, files, 1000);
  return result.ok ? result.paths : result.fault.code;
};

test('names come in bytewise order, dot-files included', () => {
  assert.deepEqual(found('/etc/f/*.yml'), ['/etc/f/.c.yml', '/etc/f/a.yml', '/etc/f/b.yml']);
});

test('stars in directories, one level each', () => {
  assert.deepEqual(found('/etc/*/a.yml'), ['/etc/f/a.yml', '/etc/g/a.yml']);
  assert.deepEqual(found('/etc/**/a.yml'), ['/etc/f/a.yml', '/etc/g/a.yml']);
  assert.deepEqual(found('/*/*/*/a.yml'), ['/etc/g/deep/a.yml']);
});

test('a path without stars matches itself, if it exists', () => {
  assert.deepEqual([found('/etc/f/a.yml'), found('/etc/f/x.yml'), found('/nowhere/*.yml')], [['/etc/f/a.yml'], [], []]);
});

test('a malformed pattern is a fault once the match reaches the malformed part', () => {
  assert.deepEqual(
    [found('/etc/f/[.yml'), found('/etc/f/a*[.yml'), found('/etc/f/x*[.yml')],
    ['bad-glob', 'bad-glob', []],
  );
});

test('an unreadable directory is a gap', () => {
  const view = { ...files, list: () => ({ ok: false, gap: { reason: 'denied', subject: '/etc/f' } }) as const };
  assert.deepEqual(goGlob('/etc/f/*.yml', view, 1000), {
    ok: true,
    paths: [],
    gaps: [{ reason: 'denied', subject: '/etc/f' }],
  });
});

test('a directory of 100,000 files is a gap within a second', () => {
  const many = memoryFiles(Object.fromEntries([...Array(100_000).keys()].map((i) => [`/d/${i}.yml`, ''])));
  const { result, seconds } = timed(() => goGlob('/d/*.yml', many, 10_000));
  assert.deepEqual(result, { ok: true, paths: [], gaps: [{ reason: 'limit', subject: '/d' }] });
  assert.ok(seconds < 1, `${seconds} s`);
});

test('many stars and a long name are matched within a second', () => {
  const { result, seconds } = timed(() => goMatch(`${'a*'.repeat(100)}b`, 'a'.repeat(5000)));
  assert.equal(result, false);
  assert.ok(seconds < 1, `${seconds} s`);
});
