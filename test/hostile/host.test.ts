/**
 * A host with corrupted texts: rows of /proc, command lines, unit files, settings, web configurations, the state file.
 * Parsers return in time, with valid results. Seeds and counts are printed.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseOptions } from '../../src/cli/options.js';
import { findInitScripts } from '../../src/discovery/systemd/sysv.js';
import { parseEnvironmentFile } from '../../src/discovery/systemd/unit-files/environment-file.js';
import { splitWords } from '../../src/discovery/systemd/unit-files/unit-words.js';
import { findUnits } from '../../src/discovery/systemd/units.js';
import { readCommand } from '../../src/filebeat/config/command.js';
import { newestRelease } from '../../src/filebeat/releases/releases.js';
import { parseCgroup } from '../../src/proc/cgroup.js';
import {
  parseCmdline,
  parseEnviron,
  parseMaxOpenFiles,
  parseSocketLink,
  parseStat,
  parseStatus,
} from '../../src/proc/process-files.js';
import { blockedAt, widened } from '../../src/scan/thread/blocked-path.js';
import { parseSettings } from '../../src/settings/settings.js';
import { parseFibTrie, parseIfInet6, parseUdpCounters } from '../../src/sockets/namespaces.js';
import { parseSocketTable } from '../../src/sockets/parsed-table.js';
import { loadState } from '../../src/state/memory-text.js';
import { parseWebConfig } from '../../src/web/config/web-config.js';
import { activatedSockets, parseListenAddress } from '../../src/web/listen-address.js';
import { memoryFiles } from '../support/filebeat.js';
import { createChance } from '../support/random.js';
import { hostileNames } from '../support/report.js';

const SEED = Number(process.env['HOSTILE_SEED'] ?? 20_261_124);
const ROUNDS = Number(process.env['HOSTILE_ROUNDS'] ?? 2000);
/** Time limit for a text of this size, in milliseconds, generous for a busy machine. */
const LONGEST_MS = 2000;
const SECRET = 'S3cretCanary';

const SCRAPS = [
  ...Object.values(hostileNames).filter((name) => name.length < 100),
  ...[
    '\0',
    '\n',
    ' ',
    '  ',
    '\t',
    ':',
    '%',
    '%i',
    '$',
    '${',
    '}',
    '"',
    "'",
    '\\',
    '\\x',
    '=',
    '-',
    '--',
    '@',
    '[',
    ']',
  ],
  ...['0', '-1', '4294967296', '18446744073709551616', '1e309', 'NaN', 'ffffffff', '0x', '\ufffd', '\ud800', '\u0085'],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', '../..', '/', '(deleted)', SECRET, 'é'.repeat(40)],
];

const UDP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 2187: 0100007F:1B48 00000000:0000 07 00000000:00000300 00:00000000 00000000     0        0 81234 2 0000000000000000 17
 2188: 00000000:0202 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 81235 2 0000000000000000 0
`;
const STAT =
  '4242 (file (b) eat) S 1 4242 4242 0 -1 4194560 900 0 0 0 12 7 0 0 20 0 9 0 88712 1234567 890 18446744073709551615 1 1 140722 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n';
const UNIT = `[Unit]
Description=Filebeat %i
[Service]
Environment="A=b c" 'D=e'
EnvironmentFile=-/etc/default/filebeat
User=root
WorkingDirectory=~
ExecStart=/usr/share/filebeat/bin/filebeat -c /etc/filebeat/%i.yml $EXTRA \\
  --path.home /usr/share/filebeat --path.data "/var/lib/filebeat-%i"
[Install]
WantedBy=multi-user.target
`;
const SCRIPT = `#!/bin/sh
### BEGIN INIT INFO
# Default-Start: 2 3 4 5
### END INIT INFO
DAEMON=/usr/share/filebeat/bin/filebeat
OPTS="-c /etc/filebeat/filebeat.yml -path.home /usr/share/filebeat"
[ -f /etc/default/filebeat ] && . /etc/default/filebeat
start-stop-daemon --start --exec $DAEMON -- $OPTS
`;
const SETTINGS = `discovery: {process_names: [filebeat], config_globs: ["/etc/filebeat/*.yml"], systemd: true, remember: 168h}
instances:
  - {name: core, argv: [filebeat, -c, /etc/core.yml], env: {A: ${SECRET}}}
ports: [514, {port: 515, protocol: tcp, address: "::1", process: filebeat}]
thresholds: {receive_queue_ratio: 0.8, restarts: {count: 3, within: 10m}}
`;
const WEB = `tls_server_config: {cert_file: a.crt, key_file: a.key, client_auth_type: NoClientCert, min_version: TLS12}
http_server_config: {headers: {X-Frame-Options: deny}}
basic_auth_users: {a: $2b$10$${'a'.repeat(53)}}
rate_limit: {interval: 1s, burst: 5}
`;
const STATE = JSON.stringify({
  version: 1,
  instances: { id: { name: 'core', config: 'core.yml', lastSeen: 1, restarts: 0, origins: ['process'], start: {} } },
  ledger: { '["core","udp","*",9000]': { total: 17, sockets: { '1/2': 3 }, bootId: 'b', rises: [[1, 2]] } },
  learned: {},
});
const CGROUP =
  '0::/system.slice/filebeat@core.service\n1:name=systemd:/docker/0123456789ab0123456789ab0123456789ab0123456789ab0123456789ab\n';
const MOUNTS =
  '36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw\n37 35 0:40 / /mnt\\040a rw - nfs4 s:/ rw\n';
const SNMP = 'Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors\nUdp: 65 0 1 2 3\n';
const TRIE = 'Local:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 192.0.2.2\n        /32 host LOCAL\n';
const bytes = (text: string) => Buffer.from(text);
const finite = (...numbers: (number | undefined)[]) => {
  for (const number of numbers) assert.ok(number === undefined || Number.isFinite(number));
};

/** The corrupted texts, and the invariants of the results. */
const targets: Record<string, { text: string; holds: (spoilt: string) => void }> = {
  'a socket table': {
    text: UDP,
    holds(text) {
      for (const family of [4, 6] as const)
        for (const { port, inode, drops, uid, receiveQueue } of parseSocketTable(Buffer.from(text), 'udp', family)
          .rows) {
          finite(inode, drops, uid, receiveQueue);
          assert.ok(port >= 0 && port <= 65_535);
        }
    },
  },
  '/proc/<pid>/stat': {
    text: STAT,
    holds(text) {
      const stat = parseStat(text);
      finite(stat?.pid, stat?.startTicks, stat?.residentPages, stat?.cpuTicks);
    },
  },
  '/proc/<pid>/status, limits, cgroup, environ, cmdline and links': {
    text: `Uid:\t0\t0\t0\t0\nTgid:\t42\nCapEff:\t000001ffffffffff\nMax open files            1024                 524288               files\n${CGROUP}`,
    holds(text) {
      finite(parseStatus(text).uid, parseMaxOpenFiles(text), parseSocketLink(text));
      parseCgroup(text);
      assert.equal(Object.getPrototypeOf(parseEnviron(text)), null);
      for (const word of parseCmdline(text)) assert.ok(!word.includes('\0'));
    },
  },
  'counters and addresses of a namespace': {
    text: SNMP + TRIE,
    holds(text) {
      const counters = parseUdpCounters(text, text);
      finite(counters?.inDatagrams, counters?.noPorts);
      assert.ok(Array.isArray(parseFibTrie(text)) && Array.isArray(parseIfInet6(text)));
    },
  },
  'a command line': {
    text: 'filebeat\0-c\0/etc/filebeat/filebeat.yml\0-E\0a.b=[1,{c: d}]\0--path.data=/x\0-M\0nginx.access.enabled=true\0-d\0*\0-e',
    holds: (text) => void readCommand(parseCmdline(text), newestRelease),
  },
  'a unit file': {
    text: UNIT,
    holds(text) {
      const files = memoryFiles({
        '/etc/systemd/system/filebeat@.service': text,
        '/etc/systemd/system/multi-user.target.wants/filebeat@core.service': text,
        '/etc/default/filebeat': text,
        '/usr/share/filebeat/bin/filebeat': '',
      });
      const { units } = findUnits(files, { processNames: [], running: ['filebeat@x.service'] });
      for (const { argv } of units) assert.ok(argv.length > 0);
    },
  },
  'an environment file': {
    text: 'A=b\nC="d e"\n# x\nF=\'g\'\\\nh\n',
    holds(text) {
      parseEnvironmentFile(text);
      splitWords(text);
    },
  },
  'an init script': {
    text: SCRIPT,
    holds(text) {
      const files = memoryFiles({
        '/etc/init.d/filebeat': text,
        '/etc/default/filebeat': text,
        '/usr/share/filebeat/bin/filebeat': '',
      });
      findInitScripts(files, { processNames: [], running: ['filebeat.service'] }, []);
    },
  },
  'the settings': {
    text: SETTINGS,
    holds(text) {
      const parsed = parseSettings(bytes(text), 'settings.yml');
      if (!parsed.ok) assert.ok(parsed.errors.length > 0);
    },
  },
  'a web configuration': {
    text: WEB,
    holds(text) {
      const parsed = parseWebConfig(bytes(text), 'web.yml');
      if (parsed.ok) for (const [user] of parsed.config.users) assert.ok(!user.includes(':'));
      else assert.ok(parsed.problems.length > 0);
    },
  },
  'the state file': {
    text: STATE,
    holds(text) {
      const { kind } = loadState(text);
      assert.ok(kind.length > 0);
    },
  },
  'options, listen addresses and mounts': {
    text: `check --json --web.listen-address=127.0.0.1:9117 --scan.grace 10s ${MOUNTS}`,
    holds(text) {
      const parsed = parseOptions(text.split(/[ \n]/), { STATE_DIRECTORY: text });
      if (parsed.kind === 'refused') assert.ok(parsed.message.length > 0);
      const target = parseListenAddress(text);
      if (target?.kind === 'tcp') assert.ok(target.port <= 65_535);
      activatedSockets({ LISTEN_FDS: text.slice(0, 3), LISTEN_PID: '1', LISTEN_FDNAMES: text }, 1);
      const place = widened(blockedAt(`/proc/42/root${text}`, { procfs: '/proc', rootfs: '/' }), text);
      assert.ok(place === undefined || place.path.length > 0);
    },
  },
};

describe('a hostile host', () => {
  for (const [index, [what, { text, holds }]] of Object.entries(targets).entries())
    it(`cannot break the parser of ${what}`, () => {
      const chance = createChance(SEED + index);
      holds(text);
      let slowest = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const spoilt = chance.oneIn(500) ? chance.spoil(text.repeat(50), SCRAPS) : chance.spoil(text, SCRAPS);
        const began = performance.now();
        try {
          holds(spoilt);
        } catch (error) {
          assert.fail(`seed ${SEED + index}, round ${round}: ${(error as Error).stack}\n${JSON.stringify(spoilt)}`);
        }
        slowest = Math.max(slowest, performance.now() - began);
      }
      assert.ok(slowest < LONGEST_MS, `${slowest} ms`);
      console.log(`# ${what}: seed ${SEED + index}, ${ROUNDS} rounds, the slowest ${slowest.toFixed(1)} ms`);
    });
  it('is tested with at least 20,000 rounds', () => {
    assert.ok(process.env['HOSTILE_ROUNDS'] !== undefined || ROUNDS * Object.keys(targets).length >= 20_000);
  });
});
