import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FilebeatUnit, findUnits } from '../../src/discovery/systemd/units.js';
import { openFileView } from '../../src/proc/files/root-files.js';
import { type Tree, writeTree } from '../support/tree.js';

const bin = '/usr/share/filebeat/bin/filebeat';
const etc = '/etc/systemd/system';
const lib = '/usr/lib/systemd/system';
const wants = `${etc}/multi-user.target.wants`;

interface Case {
  title: string;
  tree: Tree;
  /** The unit to check; default: the only one. */
  unit?: string;
  running?: string[];
  expect: Partial<FilebeatUnit> | 'none';
  /** `reason subject` of each gap. */
  gaps?: string[];
}

const plain = `[Service]\nExecStart=${bin} -c /etc/filebeat/filebeat.yml\n[Install]\nWantedBy=multi-user.target\n`;
const enabled = (name: string): Tree => ({ [`${wants}/${name}`]: `-> ${lib}/${name.replace(/@.+\./, '@.')}` });
const service = (...lines: string[]): Tree => ({ [`${lib}/filebeat.service`]: `[Service]\n${lines.join('\n')}\n` });

const cases: Case[] = [
  {
    title: 'a unit linked from multi-user.target.wants should run',
    tree: { [`${lib}/filebeat.service`]: plain, ...enabled('filebeat.service') },
    expect: {
      name: 'filebeat.service',
      shouldRun: true,
      why: 'enabled',
      wantedBy: ['multi-user.target'],
      argv: [bin, '-c', '/etc/filebeat/filebeat.yml'],
      cwd: '/',
      fragment: `${lib}/filebeat.service`,
    },
  },
  {
    title: 'an [Install] section alone enables nothing',
    tree: { [`${lib}/filebeat.service`]: plain },
    expect: { shouldRun: false, why: 'disabled', wantedBy: [] },
  },
  {
    title: 'a unit without [Install] and without a link is static',
    tree: service(`ExecStart=${bin}`),
    expect: { shouldRun: false, why: 'static' },
  },
  {
    title: 'a .requires link enables like a .wants link',
    tree: {
      [`${lib}/filebeat.service`]: plain,
      [`${etc}/graphical.target.requires/filebeat.service`]: '-> ../filebeat.service',
    },
    expect: { why: 'enabled', wantedBy: ['graphical.target'] },
  },
  {
    title: 'a link of the distribution in /usr/lib enables too',
    tree: {
      [`${lib}/filebeat.service`]: plain,
      [`${lib}/multi-user.target.wants/filebeat.service`]: '-> ../filebeat.service',
    },
    expect: { shouldRun: true },
  },
  {
    title: "a link from a site's target counts when the target is wanted at boot",
    tree: {
      [`${lib}/filebeat.service`]: plain,
      [`${etc}/collectors.target.wants/filebeat.service`]: `-> ${lib}/filebeat.service`,
      [`${wants}/collectors.target`]: '-> ../collectors.target',
      [`${etc}/collectors.target`]: '[Unit]\n',
    },
    expect: { shouldRun: true, wantedBy: ['collectors.target'] },
  },
  {
    title: "a link from a site's target that nothing wants does not make it run",
    tree: {
      [`${lib}/filebeat.service`]: plain,
      [`${etc}/collectors.target.wants/filebeat.service`]: `-> ${lib}/filebeat.service`,
    },
    expect: { shouldRun: false, why: 'disabled', wantedBy: ['collectors.target'] },
  },
  {
    title: 'a target may name its services in Wants=',
    tree: {
      [`${lib}/filebeat@.service`]: `[Service]\nExecStart=${bin} -c %i.yml\n`,
      [`${etc}/multi-user.target.d/site.conf`]: '[Unit]\nWants=filebeat@east.service\n',
      [`${lib}/multi-user.target`]: '[Unit]\n',
    },
    expect: { name: 'filebeat@east.service', shouldRun: true, argv: [bin, '-c', 'east.yml'] },
  },
  {
    title: 'the file in /etc hides the one in /usr/lib',
    tree: {
      [`${lib}/filebeat.service`]: plain,
      [`${etc}/filebeat.service`]: `[Service]\nExecStart=/opt/fb/filebeat -e\n`,
    },
    expect: { argv: ['/opt/fb/filebeat', '-e'], fragment: `${etc}/filebeat.service` },
  },
  {
    title: '/run has priority after /etc and before /usr/local/lib',
    tree: {
      [`/usr/local/lib/systemd/system/filebeat.service`]: `[Service]\nExecStart=${bin} local\n`,
      [`/run/systemd/system/filebeat.service`]: `[Service]\nExecStart=${bin} run\n`,
      [`${lib}/filebeat.service`]: plain,
    },
    expect: { argv: [bin, 'run'] },
  },
  {
    title: 'a transient unit below /run counts',
    tree: { '/run/systemd/transient/run-fb.service': `[Service]\nExecStart="${bin}" "-c" "/tmp/x y.yml"\n` },
    expect: { name: 'run-fb.service', argv: [bin, '-c', '/tmp/x y.yml'], shouldRun: false },
  },
  {
    title: '/lib that is a link to usr/lib counts once',
    tree: { '/lib': '-> usr/lib', [`${lib}/filebeat.service`]: plain },
    expect: { fragment: `${lib}/filebeat.service` },
  },
  {
    title: 'a link to /dev/null masks a unit, which is still reported',
    tree: {
      [`${lib}/filebeat.service`]: plain,
      [`${etc}/filebeat.service`]: '-> /dev/null',
      ...enabled('filebeat.service'),
    },
    expect: { shouldRun: false, why: 'masked', argv: [bin, '-c', '/etc/filebeat/filebeat.yml'] },
  },
  {
    title: 'an empty file masks like a link to /dev/null',
    tree: { [`${lib}/filebeat.service`]: plain, [`${etc}/filebeat.service`]: '', ...enabled('filebeat.service') },
    expect: { shouldRun: false, why: 'masked' },
  },
  {
    title: 'one instance of a template can be masked alone',
    tree: {
      [`${lib}/filebeat@.service`]: `[Service]\nExecStart=${bin} -c %i.yml\n`,
      [`${etc}/filebeat@a.service`]: '-> /dev/null',
      ...enabled('filebeat@a.service'),
      ...enabled('filebeat@b.service'),
    },
    unit: 'filebeat@a.service',
    expect: { shouldRun: false, why: 'masked', instance: 'a' },
  },
  {
    title: 'an alias link is another name of the same unit',
    tree: {
      [`${lib}/filebeat.service`]: plain,
      [`${etc}/logs.service`]: `-> ${lib}/filebeat.service`,
      [`${wants}/logs.service`]: '-> ../logs.service',
    },
    expect: { name: 'filebeat.service', aliases: ['logs.service'], shouldRun: true },
  },
  {
    title: 'a link to a file outside of the unit directories is a unit of its own name',
    tree: { '/srv/fb/filebeat.service': plain, [`${etc}/edge.service`]: '-> /srv/fb/filebeat.service' },
    expect: { name: 'edge.service', aliases: [] },
  },
  {
    title: 'a linked instance gets its name in place of %i',
    tree: {
      [`${lib}/filebeat@.service`]: `[Service]\nExecStart=${bin} -c /etc/filebeat/%i.yml --path.data /var/lib/%p-%i\n`,
      ...enabled('filebeat@core.service'),
    },
    expect: {
      name: 'filebeat@core.service',
      instance: 'core',
      argv: [bin, '-c', '/etc/filebeat/core.yml', '--path.data', '/var/lib/filebeat-core'],
    },
  },
  {
    title: 'a template that nothing instantiates is no unit',
    tree: { [`${lib}/filebeat@.service`]: `[Service]\nExecStart=${bin}\n` },
    expect: 'none',
  },
  {
    title: 'an instance started by hand is reported when a process runs in it',
    tree: { [`${lib}/filebeat@.service`]: `[Service]\nExecStart=${bin} -c %i.yml\n` },
    running: ['filebeat@lab.service', 'ssh.service'],
    expect: { name: 'filebeat@lab.service', shouldRun: false, why: 'static' },
  },
  {
    title: 'DefaultInstance names the instance of a template that is linked without one',
    tree: {
      [`${lib}/filebeat@.service`]: `[Service]\nExecStart=${bin} -c %i.yml\n[Install]\nDefaultInstance=main\n`,
      ...{ [`${wants}/filebeat@.service`]: `-> ${lib}/filebeat@.service` },
    },
    expect: { name: 'filebeat@main.service', argv: [bin, '-c', 'main.yml'], shouldRun: true },
  },
  {
    title: 'a file for an instance hides the template',
    tree: {
      [`${lib}/filebeat@.service`]: `[Service]\nExecStart=${bin} template\n`,
      [`${etc}/filebeat@x.service`]: `[Service]\nExecStart=${bin} own\n`,
    },
    expect: { name: 'filebeat@x.service', argv: [bin, 'own'] },
  },
  {
    title: 'specifiers: names with and without escapes, the last part of a dashed prefix, the percent sign',
    tree: {
      [`${lib}/site-filebeat@.service`]: `[Service]\nExecStart=${bin} %n %N %p %P %i %I %j %J %f 5%%\n`,
      [`${wants}/site-filebeat@a-b\\x2dc.service`]: `-> ${lib}/site-filebeat@.service`,
    },
    expect: {
      instance: 'a-b-c',
      argv: [
        bin,
        'site-filebeat@a-b\\x2dc.service',
        'site-filebeat@a-b\\x2dc',
        'site-filebeat',
        'site/filebeat',
        'a-b\\x2dc',
        'a/b-c',
        'filebeat',
        'filebeat',
        '/a/b-c',
        '5%',
      ],
    },
  },
  {
    title: 'an instance name that is not ASCII is unescaped',
    tree: {
      [`${lib}/filebeat@.service`]: `[Service]\nExecStart=${bin} %I\n`,
      [`${wants}/filebeat@caf\\xc3\\xa9-1.service`]: `-> ${lib}/filebeat@.service`,
    },
    expect: { instance: 'café-1', argv: [bin, 'café/1'] },
  },
  {
    title: 'specifiers of the host come from its files',
    tree: {
      ...service(`ExecStart=${bin} %H %l %m %o %w %E %S`),
      '/etc/hostname': 'log1.example.net\n',
      '/etc/machine-id': 'abc\n',
      '/etc/os-release': 'ID=debian\nVERSION_ID="12"\n',
    },
    expect: { argv: [bin, 'log1.example.net', 'log1', 'abc', 'debian', '12', '/etc', '/var/lib'] },
  },
  {
    title: 'a unit that depends on a specifier with unknown value is not reported as a unit',
    tree: service(`ExecStart=${bin} --path.data /var/%b`),
    expect: 'none',
  },
  {
    title: 'a specifier with unknown value is harmless where it does not matter',
    tree: service(`ExecStart=${bin} -E name=%b --path.data /var/lib/x`),
    expect: { argv: [bin, '--path.data', '/var/lib/x'] },
    gaps: [`missing ${lib}/filebeat.service:2`],
  },
  {
    title: 'a drop-in adds settings, and an empty ExecStart= resets',
    tree: {
      [`${lib}/filebeat.service`]: plain,
      [`${etc}/filebeat.service.d/override.conf`]: `[Service]\nExecStart=\nExecStart=${bin} -c other.yml\n`,
    },
    expect: { argv: [bin, '-c', 'other.yml'], dropIns: [`${etc}/filebeat.service.d/override.conf`] },
  },
  {
    title: 'drop-ins are sorted by their file names, not by their directories',
    tree: {
      ...service(`ExecStart=${bin} $A`),
      [`${lib}/filebeat.service.d/20.conf`]: '[Service]\nEnvironment=A=lib20\n',
      [`${etc}/filebeat.service.d/10.conf`]: '[Service]\nEnvironment=A=etc10\n',
    },
    expect: {
      argv: [bin, 'lib20'],
      dropIns: [`${etc}/filebeat.service.d/10.conf`, `${lib}/filebeat.service.d/20.conf`],
    },
  },
  {
    title: 'of two drop-ins with one name only the one in /etc counts',
    tree: {
      ...service(`ExecStart=${bin} $A $B`),
      [`${lib}/filebeat.service.d/10.conf`]: '[Service]\nEnvironment=A=lib B=lib\n',
      [`${etc}/filebeat.service.d/10.conf`]: '[Service]\nEnvironment=A=etc\n',
    },
    expect: { argv: [bin, 'etc'] },
  },
  {
    title: 'a drop-in masked in /etc does not apply',
    tree: {
      ...service(`ExecStart=${bin} $A`),
      [`${lib}/filebeat.service.d/10.conf`]: '[Service]\nEnvironment=A=lib\n',
      [`${etc}/filebeat.service.d/10.conf`]: '-> /dev/null',
      '/dev/null': '',
    },
    expect: { argv: [bin] },
    gaps: [],
  },
  {
    title: "a template's drop-ins, its instance's, its dashed prefix's and the type-wide ones all apply",
    tree: {
      [`${lib}/site-filebeat@.service`]: `[Service]\nExecStart=${bin} $A $B $C $D\n`,
      [`${etc}/site-filebeat@.service.d/a.conf`]: '[Service]\nEnvironment=A=template\n',
      [`${etc}/site-filebeat@x.service.d/b.conf`]: '[Service]\nEnvironment=B=instance\n',
      [`${etc}/site-.service.d/c.conf`]: '[Service]\nEnvironment=C=prefix\n',
      [`${etc}/service.d/d.conf`]: '[Service]\nEnvironment=D=type\n',
      ...enabled('site-filebeat@x.service'),
    },
    expect: { argv: [bin, 'template', 'instance', 'prefix', 'type'] },
  },
  {
    title: 'an instance drop-in hides the type-wide one of the same name',
    tree: {
      ...service(`ExecStart=${bin} $A $B`),
      [`${lib}/filebeat.service.d/z.conf`]: '[Service]\nEnvironment=A=own\n',
      [`${etc}/service.d/z.conf`]: '[Service]\nEnvironment=B=type\n',
    },
    expect: { argv: [bin, 'own'] },
  },
  {
    title: 'a line continues after a backslash, across comments, joined by one space',
    tree: service(`ExecStart=${bin} -c \\`, '# about the file', '   ; and more', '   a.yml \\', '  -e'),
    expect: { argv: [bin, '-c', 'a.yml', '-e'] },
  },
  {
    title: 'an empty line ends a continuation',
    tree: service(`ExecStart=${bin} -e \\`, '', 'User=fb'),
    expect: { argv: [bin, '-e'], user: { name: 'fb', why: 'its user is not in /etc/passwd' } },
  },
  {
    title: 'blanks around keys, comments with a semicolon, CRLF and a BOM do no harm',
    tree: { [`${lib}/filebeat.service`]: `\ufeff[Unit]\r\n; note\r\n[Service]\r\n  ExecStart =  ${bin} -e  \r\n` },
    expect: { argv: [bin, '-e'] },
    gaps: [],
  },
  {
    title: 'a line without an equals sign is skipped and reported',
    tree: service('what is this', `ExecStart=${bin}`),
    expect: { argv: [bin] },
    gaps: [`malformed ${lib}/filebeat.service:2`],
  },
  {
    title: 'double and single quotes keep blanks, also in the middle of a word',
    tree: service(`ExecStart=${bin} "a b" 'c "d"' -E"k=v w"x`),
    expect: { argv: [bin, 'a b', 'c "d"', '-Ek=v wx'] },
  },
  {
    title: 'C escapes are read, unknown ones stay',
    tree: service(`ExecStart=${bin} a\\x20b \\t \\u00e9 \\101 \\s \\q "\\"" 'it\\'s'`),
    expect: { argv: [bin, 'a b', '\t', 'é', 'A', ' ', '\\q', '"', "it's"] },
  },
  {
    title: 'an unbalanced quote is reported, and the other lines are still read',
    tree: service(`ExecStart=${bin} "open`, `ExecStart=${bin} -e`),
    expect: { argv: [bin, '-e'] },
    gaps: [`malformed ${lib}/filebeat.service:2`],
  },
  {
    title: 'prefixes - + ! : before the program are removed',
    tree: service(`ExecStart=-+${bin} -e`),
    expect: { argv: [bin, '-e'] },
  },
  {
    title: '@ makes the second word argv[0], which determines the home directory',
    tree: service(`ExecStart=@${bin} /opt/home/filebeat -e`),
    expect: { argv: ['/opt/home/filebeat', '-e'] },
  },
  {
    title: 'a colon prefix keeps dollar signs',
    tree: service('Environment=A=x', `ExecStart=:${bin} $A \${A}`),
    expect: { argv: [bin, '$A', '${A}'] },
  },
  {
    title: 'a bare $VAR becomes its words, ${VAR} stays one word, $$ is a dollar, inside a word $VAR is text',
    tree: service(`Environment="O=-c 'a b.yml' -e"`, `ExecStart=${bin} $O \${O} $$O x$O y\${O}z $NONE \${NONE} "$O"`),
    expect: {
      argv: [
        bin,
        '-c',
        'a b.yml',
        '-e',
        "-c 'a b.yml' -e",
        '$O',
        'x$O',
        "y-c 'a b.yml' -ez",
        '',
        '-c',
        'a b.yml',
        '-e',
      ],
    },
  },
  {
    title: "the package's own unit: options in variables, an empty one vanishes",
    tree: service(
      'Environment="GODEBUG=\'madvdontneed=1\'"',
      'Environment="BEAT_LOG_OPTS="',
      'Environment="BEAT_CONFIG_OPTS=-c /etc/filebeat/filebeat.yml"',
      'Environment="BEAT_PATH_OPTS=--path.home /usr/share/filebeat --path.data /var/lib/filebeat"',
      `ExecStart=${bin} --environment systemd $BEAT_LOG_OPTS $BEAT_CONFIG_OPTS $BEAT_PATH_OPTS`,
    ),
    expect: {
      argv: [
        bin,
        '--environment',
        'systemd',
        '-c',
        '/etc/filebeat/filebeat.yml',
        '--path.home',
        '/usr/share/filebeat',
        '--path.data',
        '/var/lib/filebeat',
      ],
    },
  },
  {
    title: 'Environment= takes several assignments in one line, the last of a name wins, an empty one resets',
    tree: service(
      'Environment=Z=1',
      'Environment=',
      'Environment=A=1 "B=2 3" A=4',
      'Environment="C=%n"',
      `ExecStart=${bin} \${A} \${B} \${C} \${Z}`,
    ),
    expect: { argv: [bin, '4', '2 3', 'filebeat.service', ''] },
  },
  {
    title: 'a word of Environment= that is not an assignment is skipped and reported, without its text',
    tree: service('Environment=1A=x B=2', `ExecStart=${bin} $B`),
    expect: { argv: [bin, '2'] },
    gaps: [`malformed ${lib}/filebeat.service:2`],
  },
  {
    title: 'an EnvironmentFile wins over Environment= in any order, and a later file over an earlier one',
    tree: {
      ...service(
        'EnvironmentFile=/etc/default/a',
        'EnvironmentFile=-/etc/default/b',
        'Environment=A=unit',
        `ExecStart=${bin} $A $B`,
      ),
      '/etc/default/a': 'A=first\nB=first\n',
      '/etc/default/b': 'B=second\n',
    },
    expect: { argv: [bin, 'first', 'second'], envHidden: { any: false, names: [] } },
  },
  {
    title: 'the rules of an EnvironmentFile: quotes, comments, escapes, continuation, no export',
    tree: {
      ...service('EnvironmentFile=/etc/e', `ExecStart=${bin} \${A} \${B} \${C} \${D} \${E} \${F} \${G}`),
      '/etc/e': `# A=no\n; A=no\n A = "a  b" \nB='$x' # kept\nC=one\\\n two  \nD="q\\"\\n\\$"\nE=it's "so"\nexport F=no\nG=a'b'\n`,
    },
    expect: { argv: [bin, 'a  b', '$x# kept', 'one two', 'q"\\n$', `it's "so"`, '', "a'b'"] },
    gaps: ['malformed /etc/e:9'],
  },
  {
    title: 'a missing EnvironmentFile is accepted with a dash, and prevents the start without',
    tree: service('EnvironmentFile=-/etc/no', 'EnvironmentFile=/etc/none', `ExecStart=${bin}`),
    expect: {
      argv: [bin],
      failures: ['its EnvironmentFile /etc/none does not exist (resources)', `${bin} does not exist`],
    },
    gaps: ['missing /etc/none'],
  },
  {
    title: 'an EnvironmentFile may be a pattern',
    tree: {
      ...service('EnvironmentFile=-/etc/fb.d/*.env', `ExecStart=${bin} $A $B`),
      '/etc/fb.d/1.env': 'A=1',
      '/etc/fb.d/2.env': 'B=2',
      '/etc/fb.d/3.txt': 'A=3',
    },
    expect: { argv: [bin, '1', '2'] },
  },
  {
    title: 'UnsetEnvironment removes a variable, PassEnvironment makes the environment incomplete',
    tree: service('Environment=A=1 B=2', 'UnsetEnvironment=A', 'PassEnvironment=C', `ExecStart=${bin} \${A} \${B}`),
    expect: { argv: [bin, '', '2'], envHidden: { any: false, names: ['C'] } },
  },
  {
    title: 'WorkingDirectory: a dash before it, ~ is the home of User=',
    tree: {
      ...service('User=fb', 'WorkingDirectory=~', `ExecStart=${bin} \${HOME}`),
      '/etc/passwd': 'root:x:0:0::/root:/bin/sh\nfb:x:9:9::/var/lib/fb:/bin/false\n',
    },
    expect: { cwd: '/var/lib/fb', user: { name: 'fb', uid: 9, gid: 9 }, argv: [bin, '/var/lib/fb'] },
  },
  {
    title: 'WorkingDirectory with a dash may be missing; specifiers apply',
    tree: service('WorkingDirectory=-/srv/%p', `ExecStart=${bin}`),
    expect: { cwd: '/' },
  },
  {
    title: 'RootDirectory, a private network and conditions are noted',
    tree: {
      [`${lib}/filebeat.service`]: `[Unit]\nConditionPathExists=/etc/x\n[Service]\nRootDirectory=/srv/jail\nPrivateNetwork=yes\nExecStart=${bin}\n`,
    },
    expect: { rootDirectory: '/srv/jail', ownNetwork: true, why: 'static' },
  },
  {
    title: 'StateDirectory sets STATE_DIRECTORY',
    tree: service('StateDirectory=filebeat/core', `ExecStart=${bin} --path.data \${STATE_DIRECTORY}`),
    expect: { argv: [bin, '--path.data', '/var/lib/filebeat/core'] },
  },
  {
    title: 'of several commands only the Filebeat counts',
    tree: service('Type=oneshot', `ExecStart=/bin/true ; ${bin} -e`),
    expect: { argv: [bin, '-e'] },
  },
  {
    title: 'an escaped semicolon is an argument',
    tree: service(`ExecStart=${bin} \\; -e`),
    expect: { argv: [bin, ';', '-e'] },
  },
  {
    title: 'agentbeat with the argument filebeat is a Filebeat',
    tree: service('ExecStart=/opt/Elastic/Agent/components/agentbeat filebeat -E management.enabled=true'),
    expect: { argv: ['/opt/Elastic/Agent/components/agentbeat', 'filebeat', '-E', 'management.enabled=true'] },
  },
  {
    title: "Elastic Agent's own unit, other services and a configuration test are no Filebeat",
    tree: {
      [`${lib}/elastic-agent.service`]: '[Service]\nExecStart=/usr/bin/elastic-agent\n',
      [`${lib}/metricbeat.service`]:
        '[Service]\nExecStart=/usr/share/metricbeat/bin/metricbeat -c /etc/filebeat/filebeat.yml\n',
      [`${lib}/agentbeat.service`]: '[Service]\nExecStart=/opt/agentbeat metricbeat\n',
      [`${lib}/fbtest.service`]: `[Service]\nExecStart=${bin} -c x.yml test config\n`,
    },
    expect: 'none',
  },
  {
    title: "the package's wrapper script execs the binary with its own flags before the user's",
    tree: {
      ...service('ExecStart=/usr/bin/filebeat -c "/etc/my filebeat.yml"'),
      '/usr/bin/filebeat': `#!/usr/bin/env bash\n\n# Runs in the foreground.\nexec ${bin} \\\n  --path.home /usr/share/filebeat \\\n  --path.config /etc/filebeat \\\n  "$@"\n`,
    },
    expect: {
      argv: [bin, '--path.home', '/usr/share/filebeat', '--path.config', '/etc/filebeat', '-c', '/etc/my filebeat.yml'],
    },
  },
  {
    title: 'a shell command line is followed',
    tree: {
      '/srv/': '',
      ...service(
        'Environment=CFG=/etc/a.yml',
        `ExecStart=/bin/sh -c 'cd /srv && exec ${bin} -c "$$CFG" >>/var/log/fb.log 2>&1'`,
      ),
    },
    expect: { argv: [bin, '-c', '/etc/a.yml'], cwd: '/srv' },
  },
  {
    title: "a site's start script with variables and a sourced file",
    tree: {
      ...service('ExecStart=/usr/local/bin/start-fb core'),
      '/usr/local/bin/start-fb': `#!/bin/sh\nset -e\nNAME=$1\nCONF=\${CONF:-/etc/filebeat/$NAME.yml}\n. /etc/default/fb\nif [ -z "$DATA" ]; then DATA=/tmp; fi\nexec ${bin} -c "$CONF" --path.data $DATA\n`,
      '/etc/default/fb': 'DATA=/var/lib/fb-core\n',
    },
    expect: { argv: [bin, '-c', '/etc/filebeat/core.yml', '--path.data', '/var/lib/fb-core'] },
  },
  {
    title: 'env, nice and similar launchers are followed, with the variables that env sets',
    tree: service(`ExecStart=/usr/bin/nice -n 10 /usr/bin/env FB_HOST=h ${bin} -c x.yml`),
    expect: { argv: [bin, '-c', 'x.yml'] },
  },
  {
    title: 'a user named filebeat is not the program',
    tree: service(`ExecStart=/sbin/runuser -u filebeat -- ${bin} -e`),
    expect: { argv: [bin, '-e'] },
  },
  {
    title: 'ip netns exec leads to another network namespace',
    tree: service(`ExecStart=/sbin/ip netns exec blue ${bin} -e`),
    expect: { argv: [bin, '-e'], ownNetwork: true },
  },
  {
    title: 'the unit that a generator wrote for an init script is ignored in favour of the script',
    tree: {
      '/run/systemd/generator.late/filebeat.service':
        '[Unit]\nSourcePath=/etc/init.d/filebeat\n[Service]\nExecStart=/etc/init.d/filebeat start\n',
    },
    expect: 'none',
  },
];

for (const { title, tree, unit, running, expect, gaps } of cases) {
  test(title, () => {
    const found = findUnits(openFileView(writeTree({ '/dev/': '', ...tree })), {
      processNames: ['filebeat'],
      ...(running ? { running } : {}),
    });
    if (expect === 'none') {
      assert.deepEqual(
        found.units.map((one) => one.name),
        [],
      );
      return;
    }
    const one = unit === undefined ? found.units[0] : found.units.find(({ name }) => name === unit);
    assert.ok(one, `units found: ${found.units.map(({ name }) => name).join(', ') || 'none'}`);
    if (unit === undefined) assert.equal(found.units.length, 1);
    for (const [key, value] of Object.entries(expect)) assert.deepEqual(one[key as keyof FilebeatUnit], value, key);
    if (gaps)
      assert.deepEqual(
        one.gaps.map((gap) => `${gap.reason} ${gap.subject}`),
        gaps,
      );
  });
}

test('a script whose command is known only at run time is a gap', () => {
  const root = writeTree({
    ...service('ExecStart=/usr/local/bin/start'),
    ...enabled('filebeat.service'),
    '/usr/local/bin/start': `#!/bin/sh\nexec ${bin} -c "$(pick-config)"\n`,
  });
  const found = findUnits(openFileView(root), { processNames: ['filebeat'] });
  assert.deepEqual(found.units, []);
  assert.deepEqual(
    found.gaps.map(({ reason, subject }) => [reason, subject]),
    [['unclear', 'filebeat.service']],
  );
});

test('a unit that is named like a Filebeat and starts none is a gap; one that only mentions Filebeat is not', () => {
  const gapsOf = (exec: string, name = 'filebeat.service', head = '') => {
    const root = writeTree({
      [`${lib}/${name}`]: `${head}[Service]\nExecStart=${exec}\n`,
      ...enabled(name),
      [exec.split(' ')[0]!]: '\x7fELF',
    });
    const found = findUnits(openFileView(root), { processNames: ['filebeat'] });
    assert.deepEqual(found.units, []);
    return found.gaps.map(({ reason, subject }) => `${reason} ${subject}`);
  };
  assert.deepEqual(gapsOf('/opt/shipper/run-shipper'), ['unclear filebeat.service']);
  assert.deepEqual(gapsOf('/opt/shipper/run-shipper', 'filebeat@core.service'), ['unclear filebeat@core.service']);
  assert.deepEqual(gapsOf('/usr/bin/find /var/lib/filebeat -delete'), []);
  assert.deepEqual(gapsOf('/usr/bin/filebeat-port-exporter', 'filebeat-port-exporter.service'), []);
  assert.deepEqual(gapsOf('/opt/shipper/run-shipper', 'filebeat.service', '[Unit]\nConditionPathExists=/gone\n'), []);
});

test('no gap quotes a unit file or an environment file', () => {
  const root = writeTree({
    ...service(
      'Environment=1SECRET=hunter2',
      'EnvironmentFile=/etc/e',
      'ExecStart="hunter2',
      `ExecStart=${bin}`,
      'hunter2',
    ),
    '/etc/e': 'hunter2\nexport B=hunter2\n',
  });
  const found = findUnits(openFileView(root), { processNames: ['filebeat'] });
  assert.equal(found.units[0]!.gaps.length, 5);
  assert.ok(!JSON.stringify([found.gaps, found.units[0]!.gaps]).includes('hunter2'));
});

test('a program name of the settings makes a unit a Filebeat', () => {
  const root = writeTree({ [`${lib}/logship.service`]: '[Service]\nExecStart=/opt/logship -c /etc/l.yml\n' });
  const find = (processNames: string[]) =>
    findUnits(openFileView(root), { processNames }).units.map(({ name }) => name);
  assert.deepEqual(find(['filebeat']), []);
  assert.deepEqual(find(['filebeat', 'logship']), ['logship.service']);
});
