/** Parsers of `/proc/<pid>`. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCgroup } from '../../src/proc/cgroup.js';
import {
  parseBootTime,
  parseCmdline,
  parseEnviron,
  parseExecutable,
  parseMaxOpenFiles,
  parseNamespaceLink,
  parseSocketLink,
  parseStat,
  parseStatus,
} from '../../src/proc/process-files.js';

const REST =
  'S 1 4242 4242 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 8 0 123456 1000000 2048 18446744073709551615 1 2 140720000000 0';

describe('stat', () => {
  it('gives parent, processor time, start time, memory and the stack of the last exec', () => {
    assert.deepEqual(parseStat(`4242 (filebeat) ${REST}\n`), {
      pid: 4242,
      comm: 'filebeat',
      state: 'S',
      parent: 1,
      kernelThread: false,
      exiting: false,
      isThread: false,
      cpuTicks: 300,
      startTicks: 123456,
      residentPages: 2048,
      stackStart: '140720000000',
    });
  });

  it('allows spaces, parentheses and newlines in the name', () => {
    for (const comm of ['file (b) eat', ') R 1 (', 'a\nb', '', '((('])
      assert.deepEqual(
        [parseStat(`7 (${comm}) ${REST}`)?.comm, parseStat(`7 (${comm}) ${REST}`)?.startTicks],
        [comm, 123456],
      );
  });

  it('recognises an exiting process by its flag before its state changes, and a zombie', () => {
    const ending = REST.replace('4194304', String(4194304 + 4));
    const seen = [REST, ending, REST.replace('S', 'Z')].map((rest) => parseStat(`7 (filebeat) ${rest}`)?.exiting);
    assert.deepEqual(seen, [false, true, true]);
  });

  it('recognises kernel threads by their flag', () => {
    assert.equal(parseStat('2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 5 0 0 20 0 1 0 3 0 0')?.kernelThread, true);
  });

  it('gives undefined if it is truncated', () => {
    for (const text of ['', '4242', '4242 (filebeat', '4242 (filebeat) S 1', 'x (y) S'])
      assert.equal(parseStat(text), undefined);
  });
});

describe('status', () => {
  it('gives the effective uid and whether privileged ports may be bound', () => {
    const text =
      'Name:\tfilebeat\nTgid:\t12\nUid:\t1000\t993\t993\t993\nGid:\t4\t5\t4\t4\nGroups:\t5 27 \nCapEff:\t0000000000000400\n';
    assert.deepEqual(parseStatus(text), {
      uid: 993,
      uids: [1000, 993, 993],
      groups: [5, 27],
      canBindPrivileged: true,
      readsAll: false,
      threadGroup: 12,
    });
    assert.equal(parseStatus('CapEff:\t0000000000000004\n').readsAll, true);
    assert.equal(parseStatus('CapEff:\t000001fffffffbff\n').canBindPrivileged, false);
  });

  it('has no fields for missing lines', () => {
    assert.deepEqual(parseStatus(''), { groups: [] });
  });
});

describe('cmdline and environ', () => {
  it('are split at NULs, with empty words', () => {
    assert.deepEqual(parseCmdline('filebeat\0-c\0\0x y.yml\0'), ['filebeat', '-c', '', 'x y.yml']);
    assert.deepEqual(parseCmdline(''), []);
    assert.deepEqual(parseCmdline('filebeat: one title\n'), ['filebeat: one title\n']);
  });

  it('of two variables with one name the first counts, and values may contain anything', () => {
    assert.deepEqual({ ...parseEnviron('A=1\0B=x=y\0A=2\0C=\0junk\0=z\0') }, { A: '1', B: 'x=y', C: '' });
  });

  it('a variable may have the name of a property of every object', () => {
    const env = parseEnviron('constructor=1\0__proto__=2\0');
    assert.equal(env['constructor'], '1');
    assert.equal(env['toString'], undefined);
  });
});

describe('links and limits', () => {
  it('sockets and namespaces give their inode', () => {
    assert.equal(parseSocketLink('socket:[4242]'), 4242);
    for (const other of ['socket:[]x', 'pipe:[1]', '/var/log/socket:[3]', 'socket:[abc]'])
      assert.equal(parseSocketLink(other), undefined);
    assert.equal(parseNamespaceLink('net:[4026531840]', 'net'), 4026531840);
    assert.equal(parseNamespaceLink('mnt:[4026531840]', 'net'), undefined);
  });

  it('the link shows that a program was replaced', () => {
    assert.deepEqual(parseExecutable('/a/filebeat (deleted)'), { path: '/a/filebeat', deleted: true });
    assert.deepEqual(parseExecutable('/a (deleted)/filebeat'), { path: '/a (deleted)/filebeat', deleted: false });
  });

  it('the soft limit of open files counts, and unlimited is undefined', () => {
    assert.equal(
      parseMaxOpenFiles('Limit\nMax open files            1024                 524288               files\n'),
      1024,
    );
    assert.equal(
      parseMaxOpenFiles('Max open files            unlimited            unlimited            files\n'),
      undefined,
    );
  });

  it('the boot time may be on any line', () => {
    assert.equal(parseBootTime('cpu  1 2\nintr 0\nctxt 5\nbtime 1763856012\nprocesses 9\n'), 1763856012);
    assert.equal(parseBootTime('cpu'), undefined);
  });
});

const ID = 'b'.repeat(20) + '0123456789abcdef'.repeat(2) + 'cdefcdefcdef';

describe('cgroup', () => {
  const cases: [what: string, text: string, unit: string | undefined, container: string | undefined, rest?: object][] =
    [
      ['a service, version 2', '0::/system.slice/filebeat.service\n', 'filebeat.service', undefined],
      [
        'a template in a slice of its own',
        '0::/system.slice/system-filebeat.slice/filebeat@core.service\n',
        'filebeat@core.service',
        undefined,
      ],
      [
        'an escaped instance stays as systemctl takes it',
        '0::/system.slice/filebeat@a\\x2db.service\n',
        'filebeat@a\\x2db.service',
        undefined,
      ],
      [
        'version 1: the hierarchy of systemd',
        '9:name=systemd:/system.slice/filebeat.service\n8:pids:/elsewhere.service\n0::/\n',
        'filebeat.service',
        undefined,
      ],
      [
        'both versions mounted: 2 first',
        '1:name=systemd:/a.service\n0::/system.slice/b.service\n',
        'b.service',
        undefined,
      ],
      [
        'a unit of a user is none of the system',
        '0::/user.slice/user-1000.slice/user@1000.service/app.slice/filebeat.service\n',
        undefined,
        undefined,
        { user: 1000, userUnit: 'filebeat.service' },
      ],
      [
        'nor is a group that a login or a service made below its own',
        '0::/user.slice/user-1000.slice/session-3.scope/filebeat.service\n',
        undefined,
        undefined,
        { user: 1000 },
      ],
      ['a scope of the system is no unit', '0::/system.slice/run-u7.scope/filebeat.service\n', undefined, undefined],
      ['below a service no other begins', '0::/system.slice/web.service/filebeat.service\n', 'web.service', undefined],
      [
        "below a service that is no engine's there is no container",
        `0::/system.slice/web.service/docker-${ID}.scope\n`,
        'web.service',
        undefined,
      ],
      [
        'a container of Quadlet is in its unit',
        `0::/system.slice/web.service/libpod-payload-${ID}\n`,
        'web.service',
        ID.slice(0, 12),
      ],
      ["a path that leads out of the exporter's group", '0::/../filebeat.service\n', undefined, undefined],
      [
        'a container within a container',
        `0::/system.slice/docker-${'ab'.repeat(32)}.scope/docker-${ID}.scope\n`,
        undefined,
        ID.slice(0, 12),
        { nest: `abababababab/${ID.slice(0, 12)}` },
      ],
      ['a login has no unit', '0::/user.slice/user-0.slice/session-3.scope\n', undefined, undefined, { user: 0 }],
      [
        'groups below a delegated unit',
        '0::/system.slice/elastic-agent.service/input-1\n',
        'elastic-agent.service',
        undefined,
      ],
      ['docker, version 1', `12:pids:/docker/${ID}\n1:name=systemd:/docker/${ID}\n`, undefined, ID.slice(0, 12)],
      ['docker, version 2 with systemd', `0::/system.slice/docker-${ID}.scope\n`, undefined, ID.slice(0, 12)],
      [
        'podman, rootless',
        `0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container\n`,
        undefined,
        ID.slice(0, 12),
        { user: 1000 },
      ],
      [
        'Kubernetes with containerd',
        `0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1a.slice/cri-containerd-${ID}.scope\n`,
        undefined,
        ID.slice(0, 12),
        { pod: '1a' },
      ],
      [
        'Kubernetes with cgroupfs',
        `4:memory:/kubepods/burstable/pod0d4a/${ID}\n`,
        undefined,
        ID.slice(0, 12),
        { pod: '0d4a' },
      ],
      ['cri-o', `0::/kubepods.slice/crio-${ID}.scope\n`, undefined, ID.slice(0, 12)],
      [
        'systemd-nspawn by machinectl',
        '0::/machine.slice/systemd-nspawn@web.service/payload/system.slice/filebeat.service\n',
        'filebeat.service',
        'web',
      ],
      ['systemd-nspawn by hand', '0::/machine.slice/machine-web\\x2d1.scope/payload\n', undefined, 'web-1'],
      ['lxc', '0::/lxc.payload.web/system.slice/filebeat.service\n', 'filebeat.service', 'web'],
      ['lxc, older', '2:cpu:/lxc/web\n', undefined, 'web'],
      ["the host's side of lxc", '0::/lxc.monitor.web\n', undefined, undefined],
      [
        'what cron starts for a user',
        '0::/system.slice/cron.service\n',
        'cron.service',
        undefined,
        { servesUsers: true as const },
      ],
      ['no line that can be read', 'nonsense\n::\n', undefined, undefined],
    ];
  for (const [what, text, unit, container, rest] of cases)
    it(what, () => {
      // `words/remedies.test.ts` has the engines.
      const { engine: _, ...told } = parseCgroup(text);
      assert.deepEqual(told, { ...(unit && { unit }), ...(container && { container }), ...rest });
    });

  it('seen from another cgroup namespace gives the path on the host, as far as that is known', () => {
    const own = `/system.slice/docker-${ID}.scope`;
    const unit = { unit: 'filebeat.service' };
    assert.deepEqual(parseCgroup('0::/../filebeat.service\n', own), unit);
    assert.deepEqual(parseCgroup('0::/../../system.slice/filebeat.service\n', own), unit);
    assert.deepEqual(parseCgroup('0::/../../system.slice/filebeat.service\n', '/?/?'), unit);
    assert.deepEqual(parseCgroup('0::/../filebeat.service\n', '/?/?'), {});
    assert.deepEqual(parseCgroup('0::/../filebeat.service\n'), {});
    // Groups below the exporter's own are of its container.
    assert.deepEqual(parseCgroup('0::/filebeat.service\n', own), {
      container: ID.slice(0, 12),
      engine: 'docker',
      unit: 'filebeat.service',
    });
    const user = parseCgroup('0::/../../user.slice/user-1000.slice/user@1000.service/a.slice/filebeat.service\n', own);
    assert.deepEqual(user, { user: 1000, userUnit: 'filebeat.service' });
  });
});
