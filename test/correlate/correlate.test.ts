import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Listener, Snapshot, Verdict } from '../../src/model/model.js';
import {
  instance,
  judge,
  judgeInTurn,
  line,
  listener,
  now,
  prediction,
  process,
  snapshot,
  socket,
  thresholds,
} from '../support/build.js';

const lines = (verdict: Verdict) => verdict.mismatches.map(line);
const port = (verdict: Verdict, i = 0, p = 0) => verdict.instances[i]!.ports[p]!;
const young = { process: process(1, { startTime: now - 3 }) };

/** One running instance `core`, pid 1, one listener, some sockets: its status, up and mismatches. */
function judgeOne(
  host: string,
  sockets: Snapshot['sockets'],
  rest: Partial<Listener> = {},
  shot: Partial<Snapshot> = {},
) {
  const verdict = judge(snapshot([instance('core', 1, [listener(host, rest)])], sockets, shot));
  return { status: port(verdict).status, up: port(verdict).up, mismatches: lines(verdict) };
}

describe('one listener', () => {
  it('is served by the socket that its process holds', () => {
    assert.deepEqual(judgeOne('127.0.0.1:9000', [socket('127.0.0.1:9000', 1)]), {
      status: 'listening',
      up: true,
      mismatches: [],
    });
  });

  it('on the wildcard is served by an IPv6 wildcard socket', () => {
    for (const host of [':9000', '0.0.0.0:9000', '[::]:9000']) {
      assert.deepEqual(judgeOne(host, [socket('[::]:9000', 1)]), { status: 'listening', up: true, mismatches: [] });
    }
  });

  it('on 0.0.0.0 is served by an IPv4 wildcard socket', () => {
    assert.deepEqual(judgeOne('0.0.0.0:9000', [socket('0.0.0.0:9000', 1)]), {
      status: 'listening',
      up: true,
      mismatches: [],
    });
  });

  it('on all addresses is served only in part by an IPv4 wildcard socket', () => {
    assert.deepEqual(judgeOne(':9000', [socket('0.0.0.0:9000', 1)]), {
      status: 'narrower',
      up: true,
      mismatches: ['port_narrower core udp *:9000 ipv4-only-socket'],
    });
  });

  it('is served fully by an IPv4 wildcard socket on a kernel without IPv6', () => {
    const host = { hostname: 'h', bootTime: 0, ipv6: false };
    assert.deepEqual(judgeOne(':9000', [socket('0.0.0.0:9000', 1)], {}, { host }), {
      status: 'listening',
      up: true,
      mismatches: [],
    });
  });

  it('without a socket is missing', () => {
    assert.deepEqual(judgeOne('127.0.0.1:9000', []), {
      status: 'missing',
      up: false,
      mismatches: ['port_missing core udp 127.0.0.1:9000 bind-failed'],
    });
  });

  it('on 618 is not served by a socket on 61800', () => {
    assert.equal(judgeOne('127.0.0.1:618', [socket('127.0.0.1:61800', 1)], {}).up, false);
  });

  it('is taken if another process holds its socket, and the cause names that process', () => {
    assert.deepEqual(judgeOne('127.0.0.1:9000', [socket('127.0.0.1:9000', 77)]), {
      status: 'taken',
      up: false,
      mismatches: ['port_taken core udp 127.0.0.1:9000 held-by'],
    });
  });

  it('on one address is taken by another process’s wildcard socket', () => {
    assert.equal(judgeOne('127.0.0.1:9000', [socket('[::]:9000', 77)]).status, 'taken');
  });

  it('on one address is not taken by a socket on another address', () => {
    assert.equal(judgeOne('127.0.0.1:9000', [socket('127.0.0.2:9000', 77)]).status, 'missing');
  });

  it('is no conflict if a forked child shares the socket', () => {
    assert.deepEqual(judgeOne('127.0.0.1:9000', [socket('127.0.0.1:9000', [1, 99])]), {
      status: 'listening',
      up: true,
      mismatches: [],
    });
  });

  it('is up and has port_taken if another process has a socket on the same endpoint', () => {
    const duplicate = socket('127.0.0.1:9000', 77);
    assert.deepEqual(judgeOne('127.0.0.1:9000', [socket('127.0.0.1:9000', 1), duplicate]), {
      status: 'listening',
      up: true,
      mismatches: ['port_taken core udp 127.0.0.1:9000 shared-with'],
    });
  });

  it('is up with owner_hidden if the owner of its socket cannot be seen', () => {
    const hidden = socket('127.0.0.1:9000', [], { ownersKnown: false });
    const gaps = [{ reason: 'denied' as const, subject: '/proc/1/fd' }];
    assert.deepEqual(judgeOne('127.0.0.1:9000', [hidden], {}, { gaps }), {
      status: 'owner_hidden',
      up: true,
      mismatches: ['owner_hidden core udp 127.0.0.1:9000 permission'],
    });
  });

  it('is taken if its process does not hold the socket and the owner cannot be seen', () => {
    const hidden = socket('127.0.0.1:9000', [], { ownersKnown: false });
    const { status, up } = judgeOne('127.0.0.1:9000', [hidden]);
    assert.deepEqual([status, up], ['taken', false]);
  });

  it('is taken if a socket without a visible owner belongs to another user', () => {
    const hidden = socket('127.0.0.1:9000', [], { ownersKnown: false, uid: 1000 });
    const gaps = [{ reason: 'denied' as const, subject: '/proc/1/fd' }];
    assert.equal(judgeOne('127.0.0.1:9000', [hidden], {}, { gaps }).status, 'taken');
  });

  it('has no up if the scan could not decide about it', () => {
    const undecided = [{ instance: 'id-core', protocol: 'udp' as const, address: '127.0.0.1', port: 9000 }];
    assert.deepEqual(judgeOne('127.0.0.1:9000', [], {}, { undecided }), {
      status: 'unknown',
      up: undefined,
      mismatches: [],
    });
  });

  it('is not served by a socket in another network namespace', () => {
    assert.equal(judgeOne('127.0.0.1:9000', [socket('127.0.0.1:9000', 1, { netns: 7 })]).status, 'missing');
  });

  it('on TCP is not served by a UDP socket', () => {
    assert.equal(judgeOne('127.0.0.1:9000', [socket('127.0.0.1:9000', 1)], { protocol: 'tcp' }).status, 'missing');
  });

  it('is invalid if its host can never become a socket', () => {
    assert.deepEqual(judgeOne('127.0.0.1', []), {
      status: 'invalid',
      up: false,
      mismatches: ['listener_invalid core udp 127.0.0.1: invalid'],
    });
  });

  it('on a random port is up with any socket that no other listener explains', () => {
    assert.deepEqual(judgeOne(':0', [socket('[::]:41234', 1)]), {
      status: 'listening',
      up: true,
      mismatches: ['port_random core udp *:0 none'],
    });
  });

  it('has no up if its host depends on something unknown', () => {
    const result = judgeOne('127.0.0.1:9000', [], { target: { kind: 'unresolved', why: 'keystore' } });
    assert.deepEqual([result.up, result.status], [undefined, 'unresolved']);
  });
});

describe('causes of a missing port', () => {
  const cause = (verdict: Verdict) => verdict.mismatches[0]!.cause;

  it('an address that no interface has', () => {
    const verdict = judge(snapshot([instance('core', 1, [listener('203.0.113.9:9000')])], []));
    assert.deepEqual(cause(verdict), { kind: 'address-not-local' });
  });

  it('a privileged port without the capability', () => {
    const core = instance('core', 1, [listener('127.0.0.1:618')], {
      process: process(1, { canBindPrivileged: false }),
    });
    assert.deepEqual(cause(judge(snapshot([core], []))), { kind: 'privileged-port', firstUnprivileged: 1024 });
  });

  it('a reloaded file that cannot be loaded any more', () => {
    const fault = { code: 'yaml', at: { file: '/etc/filebeat/inputs.d/a.yml', line: 2 } };
    const lost = listener('127.0.0.1:9000', {
      declaredIn: { file: '/etc/filebeat/inputs.d/a.yml', line: 1 },
      reload: { periodSeconds: 10 },
    });
    const core = instance('core', 1, [lost], { brokenReloads: [{ file: '/etc/filebeat/inputs.d/a.yml', fault }] });
    assert.deepEqual(cause(judge(snapshot([core], []))), { kind: 'reloaded-file-broken', fault });
  });

  it('otherwise a failed bind, with what the input does after it', () => {
    const verdict = judge(snapshot([instance('core', 1, [listener('127.0.0.1:9000', { retry: 'busy' })])], []));
    assert.deepEqual(cause(verdict), { kind: 'bind-failed', retry: 'busy' });
  });
});

describe('the start of a process', () => {
  it('gives no mismatch within the grace', () => {
    const verdict = judge(snapshot([instance('core', 1, [listener('127.0.0.1:9000')], young)], []));
    assert.deepEqual([port(verdict).status, port(verdict).up, lines(verdict)], ['starting', false, []]);
  });

  it('does not hide that the port is taken', () => {
    const verdict = judge(
      snapshot([instance('core', 1, [listener('127.0.0.1:9000')], young)], [socket('127.0.0.1:9000', 77)]),
    );
    assert.equal(port(verdict).status, 'taken');
  });

  it('has a grace that is longer by one period for reloaded files', () => {
    const at = (age: number) =>
      port(
        judge(
          snapshot(
            [
              instance('core', 1, [listener(':9000', { reload: { periodSeconds: 10 } })], {
                process: process(1, { startTime: now - age }),
              }),
            ],
            [],
          ),
        ),
      ).status;
    assert.deepEqual([at(15), at(21)], ['starting', 'missing']);
  });
});

describe('a Filebeat without a process', () => {
  it('has all its ports at 0 and one mismatch', () => {
    const verdict = judge(
      snapshot(
        [
          instance('core', undefined, [listener(':9000'), listener(':9001')], {
            unit: 'filebeat@core.service',
            origins: ['systemd'],
          }),
        ],
        [],
      ),
    );
    assert.deepEqual(
      verdict.instances[0]!.ports.map((p) => [p.up, p.status]),
      [
        [false, 'instance_down'],
        [false, 'instance_down'],
      ],
    );
    assert.deepEqual(lines(verdict), ['instance_down core not-running']);
    assert.deepEqual([verdict.instances[0]!.up, verdict.instances[0]!.healthy], [false, false]);
  });

  it('is neither up nor down if processes are hidden', () => {
    const verdict = judge(snapshot([instance('core', undefined, [listener(':9000')], { hidden: true })], []));
    assert.deepEqual(
      [verdict.instances[0]!.up, port(verdict).up, port(verdict).status, lines(verdict)],
      [undefined, undefined, 'unknown', []],
    );
  });

  it('has owner_hidden at a port with a socket if processes are hidden', () => {
    const core = instance('core', undefined, [listener('127.0.0.1:9000')], { hidden: true });
    const bound = judge(snapshot([core], [socket('127.0.0.1:9000', [], { ownersKnown: false, uid: 1000 })]));
    assert.deepEqual(
      [bound.instances[0]!.up, port(bound).up, port(bound).status, lines(bound)],
      [undefined, true, 'owner_hidden', ['owner_hidden core udp 127.0.0.1:9000 permission']],
    );
    const others = judge(snapshot([core], [socket('127.0.0.1:9000', 99)]));
    assert.deepEqual([port(others).up, port(others).status, lines(others)], [undefined, 'unknown', []]);
  });

  it('has config_invalid if its configuration is broken', () => {
    const fault = { code: 'yaml', at: { file: '/etc/filebeat/core.yml', line: 4 } };
    const core = instance('core', undefined, [listener(':9000')], {
      prediction: prediction([], { outcome: 'exits', reason: fault }),
    });
    assert.deepEqual(lines(judge(snapshot([core], []))), ['config_invalid core config', 'instance_down core config']);
  });

  it('shows the socket that is still open on its endpoint', () => {
    const verdict = judge(
      snapshot([instance('core', undefined, [listener('127.0.0.1:9000')])], [socket('127.0.0.1:9000', 99)]),
    );
    assert.equal(port(verdict).socket?.owners[0]?.pid, 99);
  });
});

describe('two listeners on one endpoint', () => {
  it('of one instance are one series, with a conflict although a socket serves it', () => {
    const verdict = judge(
      snapshot(
        [instance('core', 1, [listener(':9000'), listener('[::]:9000', { input: 'syslog' })])],
        [socket('[::]:9000', 1)],
      ),
    );
    assert.deepEqual(
      [verdict.instances[0]!.ports.length, port(verdict).input, port(verdict).up],
      [1, 'syslog,udp', true],
    );
    assert.deepEqual(lines(verdict), ['port_conflict core udp *:9000 other-listener']);
  });

  it('of one instance on overlapping addresses: the loser is taken without being missing', () => {
    const verdict = judge(
      snapshot([instance('core', 1, [listener(':9000'), listener('127.0.0.1:9000')])], [socket('[::]:9000', 1)]),
    );
    assert.deepEqual(lines(verdict), ['port_conflict core udp 127.0.0.1:9000 other-listener']);
    assert.equal(verdict.instances[0]!.ports.find((p) => p.address === '127.0.0.1')?.status, 'taken');
  });

  it('of two running instances: the loser is taken, and the cause names the other instance', () => {
    const a = instance('a', 1, [listener(':9000')]);
    const b = instance('b', 2, [listener(':9000')]);
    const verdict = judge(snapshot([a, b], [socket('[::]:9000', 1)]));
    assert.deepEqual(lines(verdict), ['port_taken b udp *:9000 held-by']);
    assert.deepEqual(verdict.mismatches[0]!.cause, {
      kind: 'held-by',
      retry: 'never',
      owner: { pid: 1, startTicks: 100, comm: 'filebeat' },
      instance: 'a',
      declaredIn: { file: '/etc/filebeat/filebeat.yml', line: 3 },
      headStart: 1,
    });
  });

  it('conflict at the running instance if the other one is down', () => {
    const a = instance('a', undefined, [listener(':9000')]);
    const b = instance('b', 2, [listener('127.0.0.1:9000')]);
    assert.deepEqual(lines(judge(snapshot([a, b], [socket('127.0.0.1:9000', 2)]))), [
      'instance_down a not-running',
      'port_conflict b udp 127.0.0.1:9000 other-listener',
    ]);
  });

  it('conflict at the other instance if one waits for a restart', () => {
    const a = instance('a', 1, [listener(':9001')], {
      prediction: prediction([listener(':9000')]),
      basis: 'remembered',
      pendingRestart: true,
    });
    const b = instance('b', 2, [listener(':9000')]);
    assert.deepEqual(lines(judge(snapshot([a, b], [socket('[::]:9001', 1), socket('[::]:9000', 2)]))), [
      'port_conflict b udp *:9000 other-listener',
      'restart_pending a edited-after-start',
    ]);
  });

  it('in two network namespaces do not conflict', () => {
    const a = instance('a', 1, [listener(':9000')], { process: process(1, { netns: 7 }) });
    const b = instance('b', undefined, [listener(':9000')]);
    assert.deepEqual(lines(judge(snapshot([a, b], [socket('[::]:9000', 1, { netns: 7 })]))), [
      'instance_down b not-running',
    ]);
  });

  it('that share a socket by design (several urls on one http_endpoint) do not conflict', () => {
    const two = [
      listener('127.0.0.1:8000', { protocol: 'tcp', shares: true }),
      listener('127.0.0.1:8000', { protocol: 'tcp', shares: true }),
    ];
    assert.deepEqual(
      lines(judge(snapshot([instance('a', 1, two)], [socket('127.0.0.1:8000', 1, { protocol: 'tcp' })]))),
      [],
    );
  });
});

describe('sockets that no configuration declares', () => {
  const core = instance('core', 1, [listener(':9000')]);
  const strange = [socket('[::]:9000', 1), socket('[::]:9999', 1)];

  it('are reported only when two scans, at least the grace apart, have seen them', () => {
    const [first, second, third] = judgeInTurn(
      [0, 5, 11].map((later) => snapshot([core], strange, { takenAt: now + later })),
    );
    assert.deepEqual(
      [lines(first!), lines(second!), lines(third!)],
      [[], [], ['socket_unexpected core udp :::9999 none']],
    );
  });

  it('are reported by a single scan if the process is older than the grace', () => {
    assert.deepEqual(lines(judge(snapshot([core], strange), undefined, { ...thresholds, isSingleScan: true })), [
      'socket_unexpected core udp :::9999 none',
    ]);
  });

  it('are not reported if the configuration could not be read', () => {
    const unknown = instance('core', 1, [], { prediction: prediction([], { outcome: 'unknown' }) });
    assert.deepEqual(lines(judge(snapshot([unknown], strange), undefined, { ...thresholds, isSingleScan: true })), []);
  });
});

describe('a configuration edited after the start', () => {
  it('is not reported if it changes no listener', () => {
    const core = instance('core', 1, [listener(':9000')], { basis: 'edited' });
    assert.deepEqual(lines(judge(snapshot([core], [socket('[::]:9000', 1)]))), []);
  });

  it('with another port is a pending restart, and the port is missing for that reason', () => {
    const core = instance('core', 1, [listener(':9001')], { basis: 'edited' });
    const verdict = judge(snapshot([core], [socket('[::]:9000', 1)]));
    assert.deepEqual(lines(verdict), [
      'port_missing core udp *:9001 edited-after-start',
      'restart_pending core edited-after-start',
    ]);
    assert.equal(verdict.instances[0]!.pendingRestart, true);
  });
});

describe('load', () => {
  it('drops are reported while there are recent ones', () => {
    const at = (recent: number) =>
      lines(
        judge(
          snapshot([instance('core', 1, [listener(':9000')])], [socket('[::]:9000', 1)], {
            drops: { 'id-core': { 'udp|*|9000': { total: 9, recent } } },
          }),
        ),
      );
    assert.deepEqual([at(0), at(4)], [[], ['drops core udp *:9000 dropped']]);
  });

  it('a queue above the threshold is reported', () => {
    const full = socket('[::]:9000', 1, { receiveQueue: 180_000 });
    assert.deepEqual(judgeOne(':9000', [full]).mismatches, ['queue_high core udp *:9000 queue']);
  });

  it('a read_buffer above rmem_max is reported, and the buffer is twice rmem_max', () => {
    const verdict = judge(
      snapshot([instance('core', 1, [listener(':9000', { readBuffer: 10_000_000 })])], [socket('[::]:9000', 1)]),
    );
    assert.deepEqual(lines(verdict), ['buffer_capped core udp *:9000 rmem-max']);
    assert.equal(port(verdict).receiveBuffer, 425_984);
  });
});

describe('netflow of a release that discards after a failed bind', () => {
  it('stays deaf once it was blocked and then got its socket in the same process', () => {
    const flow = instance('flow', 1, [listener(':2055', { input: 'netflow', retry: 'deaf' })]);
    const blocked = snapshot([flow], [socket('[::]:2055', 77)]);
    const bound = snapshot([flow], [socket('[::]:2055', 1)], { takenAt: now + 20 });
    const [, second] = judgeInTurn([blocked, bound]);
    assert.deepEqual(
      [port(second!).status, port(second!).up, lines(second!)],
      ['deaf', false, ['listener_deaf flow udp *:2055 bind-failed']],
    );
  });
});

describe('ports of the settings', () => {
  it('are up with any owner, on exactly that port', () => {
    const statics = [
      { port: 618, protocol: 'udp' as const },
      { port: 6984, protocol: 'udp' as const },
    ];
    const verdict = judge(snapshot([], [socket('0.0.0.0:6984', 7), socket('0.0.0.0:61800', 8)], { statics }));
    assert.deepEqual(
      verdict.statics.map((s) => [s.port, s.up, s.sockets]),
      [
        [618, false, 0],
        [6984, true, 1],
      ],
    );
    assert.deepEqual(lines(verdict), ['static_port_down udp *:618 none']);
  });

  it('with a process are down if another process has the port', () => {
    const statics = [{ port: 514, protocol: 'udp' as const, process: 'filebeat' }];
    const held = socket('0.0.0.0:514', 7);
    held.owners[0]!.comm = 'rsyslogd';
    const verdict = judge(snapshot([], [held], { statics }));
    assert.deepEqual(lines(verdict), ['static_port_down udp *:514 wrong-process']);
  });
});

describe('a healthy host', () => {
  it('has no mismatches', () => {
    const verdict = judge(
      snapshot(
        [instance('a', 1, [listener(':9000')]), instance('b', 2, [listener('127.0.0.1:9001')])],
        [socket('[::]:9000', 1), socket('127.0.0.1:9001', 2)],
      ),
    );
    assert.deepEqual(lines(verdict), []);
    assert.deepEqual(
      verdict.instances.map((i) => i.healthy),
      [true, true],
    );
  });
});
