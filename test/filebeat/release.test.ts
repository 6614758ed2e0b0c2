import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { detectRelease, type Running } from '../../src/filebeat/detect-release.js';
import { type MemoryFile, memoryFiles } from '../support/memory-files.js';

const home = '/usr/share/filebeat';
const readme = '# Welcome to Filebeat 8.19.21\n\nFilebeat sends log files';
const dpkg = [
  'Package: filebeat\nStatus: deinstall ok config-files\nVersion: 7.17.0',
  'Package: filebeat\nStatus: install ok installed\nArchitecture: amd64\nVersion: 9.2.1',
  'Package: zlib\nStatus: install ok installed\nVersion: 1:1.3',
].join('\n\n');

function detect(files: Record<string, string | MemoryFile>, at = home, running?: Running) {
  const { release } = detectRelease(at, memoryFiles(files), running);
  return `${release.version ?? 'newest'} ${release.source}`;
}

describe('the release on disk', () => {
  const rows: [fact: string, answer: string, expected: string][] = [
    ['the first line of the README tells', detect({ [`${home}/README.md`]: readme }), '8.19.21 readme'],
    [
      'the README counts before the package',
      detect({ [`${home}/README.md`]: readme, '/var/lib/dpkg/status': dpkg }),
      '8.19.21 readme',
    ],
    ['without a README dpkg has the version', detect({ '/var/lib/dpkg/status': dpkg }), '9.2.1 package'],
    ['dpkg does not describe another home', detect({ '/var/lib/dpkg/status': dpkg }, '/opt/fb'), 'newest assumed'],
    ['the README of another program is ignored', detect({ [`${home}/README.md`]: '# Filebeat 8' }), 'newest assumed'],
    ['an unpacked folder has its version in the name', detect({}, '/opt/filebeat-8.10.2-linux-x86_64'), '8.10.2 hint'],
    [
      'so has the folder of an agent',
      detect({}, '/opt/Elastic/Agent/data/elastic-agent-8.12.0-ab12cd/components'),
      '8.12.0 hint',
    ],
    [
      'modules of 7.9 to 8.13 hint at their line',
      detect({ '/h/module/barracuda/module.yml': '', '/h/module/pensando/module.yml': '' }, '/h'),
      '8.13.0 hint',
    ],
    [
      'modules of all new releases give no hint',
      detect({ '/h/module/pensando/module.yml': '' }, '/h'),
      'newest assumed',
    ],
    ['without anything the newest rules count', detect({}), 'newest assumed'],
  ];
  for (const [fact, answer, expected] of rows) test(fact, () => assert.equal(answer, expected));
});

describe('files beside the program win over those in the home', () => {
  const of = (files: Record<string, string>, program: string, at = '/srv/fb') => {
    const { release } = detectRelease(at, memoryFiles({ [program]: '', ...files }), undefined, program);
    return `${release.version ?? 'newest'} ${release.source}`;
  };
  const rows: [fact: string, answer: string, expected: string][] = [
    ['a README beside it', of({ '/opt/fb/README.md': readme }, '/opt/fb/filebeat'), '8.19.21 readme'],
    [
      'a README above it, as packages have it',
      of({ [`${home}/README.md`]: readme }, `${home}/bin/filebeat`),
      '8.19.21 readme',
    ],
    [
      'before a README of its home',
      of({ '/opt/fb/README.md': readme.replace('8.19', '9.0'), '/srv/fb/README.md': readme }, '/opt/fb/filebeat'),
      '9.0.21 readme',
    ],
    [
      'the package database, for the program of the package',
      of({ '/var/lib/dpkg/status': dpkg }, `${home}/bin/filebeat`),
      '9.2.1 package',
    ],
    [
      'and for no other program with the home of the package',
      of({ '/var/lib/dpkg/status': dpkg }, '/opt/fb/filebeat', home),
      'newest assumed',
    ],
    [
      'the name of the folder that it was unpacked into',
      of({}, '/opt/filebeat-8.10.2-linux-x86_64/filebeat'),
      '8.10.2 hint',
    ],
    ['the name of a store', of({}, '/nix/store/0a1b2c-filebeat8-8.19.2/bin/filebeat'), '8.19.2 hint'],
    ['of a cellar', of({}, '/home/linuxbrew/.linuxbrew/Cellar/filebeat-full/8.1.0/bin/filebeat'), '8.1.0 hint'],
    ['files in /usr are ignored', of({ '/usr/README.md': readme }, '/usr/bin/filebeat'), 'newest assumed'],
  ];
  for (const [fact, answer, expected] of rows) test(fact, () => assert.equal(answer, expected));
});

describe('a running process', () => {
  const files = { [`${home}/README.md`]: { text: readme, mtime: 1000 } };
  const rows: [fact: string, running: Running, expected: string][] = [
    [
      'started after the README was written: it is that release',
      { startTime: 2000, executableDeleted: false },
      '8.19.21 readme',
    ],
    [
      'older than the README keeps its release',
      { startTime: 500, executableDeleted: false, remembered: '8.10.5' },
      '8.10.5 remembered',
    ],
    [
      'whose executable was replaced keeps its release',
      { startTime: 2000, executableDeleted: true, remembered: '8.10.5' },
      '8.10.5 remembered',
    ],
    [
      'without a remembered release gets that of its next start',
      { startTime: 500, executableDeleted: false },
      '8.19.21 hint',
    ],
  ];
  for (const [fact, running, expected] of rows) test(fact, () => assert.equal(detect(files, home, running), expected));

  test('an unreadable README is a gap', () => {
    const { gaps } = detectRelease(home, memoryFiles({ [`${home}/README.md`]: { denied: true } }));
    assert.deepEqual(gaps, [{ reason: 'denied', subject: `${home}/README.md` }]);
  });
});
