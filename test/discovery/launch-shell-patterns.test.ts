/** Patterns and braces of the shell, as dash and bash expand them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expandedBraces } from '../../src/discovery/shell/expand/shell-braces.js';
import { matches, replaceMatches, trimText } from '../../src/discovery/shell/expand/shell-pattern.js';

const pattern = (text: string) => [{ text, quoted: false }];
const braces = (text: string) =>
  expandedBraces([{ kind: 'text', text, quoted: false }])?.map((word) =>
    word.map((part) => (part.kind === 'text' ? part.text : '')).join(''),
  );

describe('a shell pattern', () => {
  for (const [source, text, expected] of [
    ['*', '', true],
    ['a*c', 'abbc', true],
    ['a*c', 'abb', false],
    ['?', 'é', true],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['[^a]', 'b', true],
    ['[]]', ']', true],
    ['[z-a]', 'b', false],
    ['[[:digit:]]*', '7a', true],
    ['[ab', '[ab', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
  ] as const)
    it(`${source} ${expected ? 'matches' : 'does not match'} ${JSON.stringify(text)}`, () =>
      assert.equal(matches(pattern(source), text), expected));

  it('is literal where it is quoted', () => {
    assert.equal(matches([{ text: '*', quoted: true }], 'a'), false);
    assert.equal(matches([{ text: '*', quoted: true }], '*'), true);
  });

  for (const [operator, source, expected] of [
    ['#', '*/', 'b/c.yml'],
    ['##', '*/', 'c.yml'],
    ['%', '/*', 'a/b'],
    ['%%', '/*', 'a'],
    ['%', '.json', 'a/b/c.yml'],
  ] as const)
    it(`is removed by \${x${operator}${source}}`, () =>
      assert.equal(trimText('a/b/c.yml', pattern(source), operator), expected));

  it('is replaced once or everywhere, the longest match first', () => {
    assert.equal(replaceMatches('a--b-c', pattern('-'), '_', false), 'a_-b-c');
    assert.equal(replaceMatches('a--b-c', pattern('-'), '_', true), 'a__b_c');
    assert.equal(replaceMatches('abcb', pattern('b*'), 'x', true), 'ax');
  });
});

describe('braces of bash', () => {
  it('become their alternatives in order', () =>
    assert.deepEqual(braces('a{b,c}{1..3}'), ['ab1', 'ab2', 'ab3', 'ac1', 'ac2', 'ac3']));
  it('are literal without a comma or a range', () => assert.deepEqual(braces('{a}'), ['{a}']));
  it('of more than a thousand words are not followed', () => assert.equal(braces('{a,b}'.repeat(10)), undefined));
});
