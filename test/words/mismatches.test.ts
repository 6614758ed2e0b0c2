import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { mismatchCodes } from '../../src/model/mismatches.js';
import { words } from '../../src/words/words.js';
import { catalogue, samples, told } from '../support/catalogue.js';

const document = new URL('../../../docs/mismatches.md', import.meta.url);

describe('the catalogue of mismatches', () => {
  it('in docs/mismatches.md is up to date (UPDATE_DOCS=1 writes it)', () => {
    if (process.env['UPDATE_DOCS'] !== undefined) writeFileSync(document, catalogue());
    assert.equal(readFileSync(document, 'utf8'), catalogue());
  });

  it('has every code, each with a cause', () => {
    for (const code of mismatchCodes) assert.ok(told[code].length > 0, code);
    assert.deepEqual(Object.keys(told).sort(), [...mismatchCodes].sort());
  });
});

describe('the words of every mismatch', () => {
  for (const m of samples()) {
    const said = words(m);
    const title = `${m.code}, ${m.cause.kind}: “${said.cause.slice(0, 60)}”`;

    it(`${title}: expected, seen, cause and remedy are there and differ`, () => {
      const parts = [said.expected, said.seen, said.cause, said.remedy];
      for (const part of parts) assert.ok(part.trim().length > 3, JSON.stringify(said));
      assert.equal(new Set(parts).size, parts.length);
      assert.ok(!said.cause.includes(said.seen), said.cause);
      for (const part of parts) assert.doesNotMatch(part, /undefined|null|NaN|\s\s|\[object|: :|\.\.$/);
    });

    it(`${title}: sentences are complete and short`, () => {
      assert.match(said.cause, /^["“A-Z/a-z0-9][\s\S]*\.$/);
      assert.ok(said.cause.length <= 260, `${said.cause.length}: ${said.cause}`);
    });

    it(`${title}: a command is one line at the end of the remedy`, () => {
      if (said.command === undefined) return;
      assert.ok(said.remedy.endsWith(said.command));
      assert.doesNotMatch(said.command, /\n/);
      // No command kills a process: it is not known what would start it again.
      assert.doesNotMatch(said.command, /\bkill\b|\brm\b/);
    });
  }
});
