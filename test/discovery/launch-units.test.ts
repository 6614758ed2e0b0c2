/** What units start, and what of it is uncertain: variants of commands that people write. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findUnits } from '../../src/discovery/systemd/units.js';
import { openFileView } from '../../src/proc/files/root-files.js';
import { type Tree, writeTree } from '../support/tree.js';

const bin = '/usr/share/filebeat/bin/filebeat';
const etc = '/etc/systemd/system';
const base: Tree = {
  [bin]: '\x7fELF',
  '/dev/': '',
  '/etc/passwd': 'root:x:0:0::/root:/bin/sh\nfb:x:9:9::/var/lib/fb:/bin/sh\nlocked:x:8:8::/:/usr/sbin/nologin\n',
  '/etc/group': 'root:x:0:\nfb:x:9:\n',
};

interface Case {
  title: string;
  exec: string;
  more?: string;
  tree?: Tree;
  /** The arguments of each start. */
  starts?: string[];
  failures?: string[];
  /** The text of a gap. */
  gap?: RegExp;
}

const cases: Case[] = [
  {
    title: 'two in a loop over an array are two instances',
    exec: '/opt/run.sh',
    tree: { '/opt/run.sh': `#!/bin/bash\nall=(a b)\nfor i in "\${all[@]}"; do ${bin} -c /etc/$i.yml & done\nwait\n` },
    starts: ['-c /etc/a.yml', '-c /etc/b.yml'],
  },
  {
    title: 'the shell line of a user who may not log in starts nothing, and is reported',
    exec: `/bin/su - locked -c "${bin} -c /etc/a.yml"`,
    gap: /shell of locked runs no commands/,
  },
  {
    title: 'a launcher whose user does not exist is the cause',
    exec: `/usr/sbin/gosu nobodyhere ${bin} -e`,
    starts: ['-e'],
    failures: ['there is no user nobodyhere'],
  },
  {
    title: 'a launcher whose directory does not exist is the cause',
    exec: `/usr/bin/env -C /nope ${bin} -e`,
    starts: ['-e'],
    failures: ['the directory /nope does not exist'],
  },
  {
    title: 'an unknown program with a Filebeat among its arguments is unclear',
    exec: `/usr/local/bin/mine --quiet ${bin} -e`,
    gap: /not known/,
  },
  { title: 'a Filebeat among the arguments of a harmless program is not started', exec: `/usr/bin/tail -F ${bin}` },
  {
    title: 'a program that is named like a Filebeat is unclear',
    exec: '/opt/fb/filebeat-linux-arm -e',
    gap: /named like a Filebeat/,
  },
  { title: 'an Elastic Agent as a collector is unclear', exec: '/usr/bin/elastic-agent otel', gap: /OpenTelemetry/ },
  {
    title: 'a guard that depends on run time is unclear',
    exec: `/bin/sh -c "systemctl is-active -q other && exit 0; exec ${bin} -e"`,
    gap: /outcome of a command decides/,
  },
  {
    title: 'waiting for something else only delays the start',
    exec: '/opt/run.sh',
    tree: { '/opt/run.sh': `#!/bin/sh\nwhile ! nc -z es 9200; do sleep 1; done\nexec ${bin} -e\n` },
    starts: ['-e'],
  },
  {
    title: 'an unknown argument is harmless unless it names a file',
    exec: `/bin/sh -c 'exec ${bin} -E name=$(hostname) -c /etc/a.yml'`,
    starts: ['-c /etc/a.yml'],
  },
  {
    title: 'a file name that is known only at run time is unclear',
    exec: `/bin/sh -c 'exec ${bin} -c /etc/$(hostname).yml'`,
    gap: /known only at run time/,
  },
  {
    title: 'a condition that does not depend on files alone is unclear',
    exec: `${bin} -e`,
    more: '[Unit]\nConditionVirtualization=no\n',
    starts: ['-e'],
    gap: /ConditionVirtualization=/,
  },
  {
    title: 'an unmet condition is not a failure',
    exec: `${bin} -e`,
    more: '[Unit]\nConditionPathExists=/etc/on\n',
    starts: ['-e'],
  },
  {
    title: 'an unmet assert is the cause',
    exec: `${bin} -e`,
    more: '[Unit]\nAssertPathExists=/etc/on\n',
    starts: ['-e'],
    failures: ['its AssertPathExists= does not hold, an assert that fails the start'],
  },
  {
    title: 'a unit that another one asks systemd to start',
    exec: '/bin/systemctl start other-fb',
    tree: { [`${etc}/other-fb.service`]: `[Service]\nExecStart=${bin} -c /etc/other.yml\n` },
    starts: ['-c /etc/other.yml'],
    gap: /unit.service may start it/,
  },
];

for (const { title, exec, more = '', tree = {}, starts = [], failures = [], gap } of cases) {
  test(title, () => {
    const root = writeTree({
      ...base,
      [`${etc}/unit.service`]: `${more}[Service]\nExecStart=${exec}\n[Install]\nWantedBy=multi-user.target\n`,
      [`${etc}/multi-user.target.wants/unit.service`]: '-> ../unit.service',
      ...tree,
    });
    const found = findUnits(openFileView(root), { processNames: [] });
    assert.deepEqual(
      found.units.map(({ argv }) => argv.slice(1).join(' ')),
      starts,
    );
    const missing = found.units
      .flatMap((unit) => unit.failures)
      .filter((one) => !one.endsWith('searches for programs') && !/^\/(?:usr\/)?s?bin\/\w+ does not exist$/.test(one));
    assert.deepEqual(
      missing.filter((one) => !one.startsWith('/usr/')),
      failures,
    );
    const said = found.gaps.map(({ subject, detail }) => `${subject} ${detail}`).join('\n');
    if (gap === undefined) assert.equal(said, '');
    else assert.match(said, gap);
  });
}
