/** The incremental protocol: `src/runtime/unchanged.ts`. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createResultCache, isSameList, perObject, unlessChanged } from '../../src/runtime/unchanged.js';

describe('perObject', () => {
  let calls = 0;
  const sumOf = perObject((list: readonly number[], factor: number) => {
    calls += 1;
    return { sum: list.reduce((sum, one) => sum + one * factor, 0) };
  });

  it('returns the same object for the same object and inputs', () => {
    const list = [1, 2];
    assert.equal(sumOf(list, 2), sumOf(list, 2));
    assert.deepEqual([sumOf(list, 2), calls], [{ sum: 6 }, 1]);
  });

  it('computes again for an equal object and for another input', () => {
    const list = [1, 2];
    assert.notEqual(sumOf(list, 2), sumOf([1, 2], 2));
    assert.deepEqual(sumOf(list, 3), { sum: 9 });
  });
});

describe('a result cache', () => {
  const key = {};
  const [a, b] = [{}, {}];

  it('has a result only for the inputs that it was made from', () => {
    const cache = createResultCache<object, string>();
    cache.set(key, [1, a], 'first');
    assert.equal(cache.get(key, [1, a]), 'first');
    assert.equal(cache.get(key, [1, b]), undefined);
    assert.equal(cache.get(key, [1]), undefined);
    assert.equal(cache.get({}, [1, a]), undefined);
    cache.delete(key);
    assert.equal(cache.get(key, [1, a]), undefined);
  });

  it('compares lists by their elements, and objects by identity', () => {
    const cache = createResultCache<object, string>();
    cache.set(key, [[[a], [b]]], 'lists');
    assert.equal(cache.get(key, [[[a], [b]]]), 'lists');
    assert.equal(cache.get(key, [[[a, b], []]]), undefined);
    assert.equal(cache.get(key, [[[{}], [b]]]), undefined);
  });
});

it('lists are the same where their elements are the same objects in order', () => {
  const [a, b] = [{}, {}];
  assert.ok(isSameList([a, b], [a, b]));
  assert.ok(!isSameList([a, b], [b, a]));
  assert.ok(!isSameList([a], [a, b]));
  assert.ok(!isSameList([{}], [{}]));
});

it('unlessChanged returns the former object for deeply equal data', () => {
  const shared = { big: [1, 2, 3] };
  const make = () => ({ a: 1, b: [{ c: 'x' }], d: undefined, shared });
  const before = make();
  assert.equal(unlessChanged(before, make()), before);
  assert.equal(unlessChanged(undefined, before), before);
  const others = [
    { ...make(), a: 2 },
    { ...make(), b: [{ c: 'y' }] },
    { ...make(), b: [] },
    { ...make(), b: { 0: { c: 'x' }, length: 1 } },
    { ...make(), e: 1 },
    { a: 1, b: [{ c: 'x' }], shared, e: 1 },
    { ...make(), shared: null },
  ];
  for (const other of others) assert.equal(unlessChanged<unknown>(before, other), other);
});
