import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validGoRegexp } from '../../src/filebeat/tree/go-regexp.js';

/** Results of Go's regexp package. */
const TAKEN = [
  '',
  '|',
  'a|',
  '()',
  '(?:)',
  '(?)',
  'a*?',
  'a{2}?',
  'a{,2}',
  'a{',
  'x{1000}',
  '[]a]',
  '[^]a]',
  '[a-]',
  '[[:^alpha:]_]',
  '\\12',
  '\\x{41}',
  '\\p{Greek}\\pL\\P{^Lu}',
  '\\Qa(b\\E',
  '\\Qab',
  '(?P<a>x)(?P<a>y)',
  '(?<a>x)',
  '(?i-s:a)',
  '\\_\\-\\.',
  '(?:a*)*',
  '[a-z&&b]',
  '^*',
];
const REFUSED = [
  'a**',
  'a*??',
  '*a',
  'a|*',
  '(*a)',
  'a{2}{3}',
  'a{2,1}',
  'a{1001}',
  '(?:x{100}){11}',
  '[a',
  '[z-a]',
  '[a-\\d]',
  '[[:foo:]]',
  '\\1',
  '\\8',
  '\\xg',
  '\\x{110000}',
  '\\p{Foo}',
  '\\p',
  '\\Z',
  '\\h',
  '\\é',
  '(?P<>x)',
  '(?P<a-b>x)',
  '(?x)a',
  '(?=a)',
  '(?!a)',
  '(?<=a)',
  '(?>a)',
  'a)',
  '(a',
  '[\\b]',
  '\\',
  '\\Q\\E*',
];

for (const pattern of TAKEN) test(`Go takes ${pattern || 'nothing'}`, () => assert.equal(validGoRegexp(pattern), true));
for (const pattern of REFUSED) test(`Go refuses ${pattern}`, () => assert.equal(validGoRegexp(pattern), false));

test('a very long pattern ends soon', () => {
  assert.equal(validGoRegexp('(a|b)*'.repeat(8000)), true);
  assert.equal(validGoRegexp('('.repeat(40_000)), false);
});
