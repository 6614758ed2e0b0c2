/** Long init scripts of one repeated piece: each is read in linear time, and does not prevent reading the others. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findInitScripts } from '../../src/discovery/systemd/sysv.js';
import { memoryFiles } from '../support/filebeat.js';

const program = '/usr/share/filebeat/bin/filebeat';
const size = 62_000;
/** Milliseconds of processor time; a quadratic algorithm took 1000 to 3000. */
const most = 700;

const repeated: [what: string, before: string, piece: string][] = [
  ['arguments of an unknown program', 'x ', '-c '],
  ['arguments of a Filebeat', `${program} `, '-c a '],
  ['arguments behind an assignment', 'filebeat=a ', 'a '],
  ['assignments of env', 'env ', 'A=b '],
  ['words of su', 'su - ', '-c '],
  ['words of runuser', 'runuser - x ', '-c '],
  ['empty lines', '', '\n'],
  ['negations of test', 'test ', '! '],
  ['alternatives of test', '[ ', 'a -o '],
  ['negations of [[', '[[ ', '! '],
  ['braces', 'echo ', '{a,b}'],
  ['stars', 'echo ', '*'],
  ['open brackets', 'echo ', '['],
  ['stars between letters', 'x=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; case $x in ', '*a'],
  ['stars of a prefix', 'x=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; echo ${x##', '*a'],
  ['commands', '', 'a\n'],
];

describe('a long init script', () => {
  for (const [what, before, piece] of repeated)
    it(`of ${what} is read in linear time, and the script beside it is found`, () => {
      const text = `#!/bin/bash\nfilebeat=1\n${before}${piece.repeat(size / piece.length)}`;
      const files = memoryFiles({
        '/etc/init.d/a': text,
        '/etc/init.d/filebeat': `#!/bin/sh\n${program} -c /etc/filebeat.yml`,
        [program]: '',
      });
      const begun = process.cpuUsage();
      const { units } = findInitScripts(files, { processNames: [], running: [] }, []);
      const { user, system } = process.cpuUsage(begun);
      assert.ok(units.some(({ name }) => name === 'filebeat'));
      assert.ok((user + system) / 1000 < most, `${((user + system) / 1000).toFixed(0)} ms`);
    });
});
