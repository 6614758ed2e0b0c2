/** What Filebeat's log and figures add to mismatches, and where they contradict the exporter. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Instance, Mismatch, SelfReport, Socket } from '../../src/model/model.js';
import { words } from '../../src/words/words.js';
import { instance, judge, listener, snapshot, socket } from '../support/build.js';

/** 26 November 2026, 21:15:08 UTC. */
const at = 1_795_727_708;
const report = (rest: Partial<SelfReport>): SelfReport => ({
  source: 'log',
  success: true,
  output: 'unknown',
  listeners: {},
  ...rest,
});

function textOf(code: Mismatch['code'], rest: Partial<Instance>, sockets: Socket[] = [], hosts = [':514']): string {
  const pid = 'lastMessage' in rest ? undefined : 4711;
  const one = instance(
    'core',
    pid,
    hosts.map((host) => listener(host)),
    rest,
  );
  const { mismatches } = judge(snapshot([one], sockets));
  const found = mismatches.find((one) => one.code === code && (one.port === undefined || one.port === 514));
  assert.ok(found !== undefined, mismatches.map((one) => one.code).join());
  return words(found).cause;
}

const bind = (key: string, reason: 'in-use' | 'denied' | 'no-address' = 'denied') => ({
  selfReport: report({ binds: { [key]: { reason, at } } }),
});

describe('a port that is not served', () => {
  for (const key of ['udp 0.0.0.0:514', 'udp :514', 'udp [::]:514'])
    it(`says why the bind of ${key} failed, and when`, () => {
      assert.match(textOf('port_missing', bind(key)), /Filebeat logged at 21:15:08: permission denied\.$/);
    });

  for (const key of ['tcp 0.0.0.0:514', 'udp 127.0.0.1:514', 'udp 0.0.0.0:5140', 'udp 0.0.0.0:1514'])
    it(`has no message about ${key}`, () => {
      assert.doesNotMatch(textOf('port_missing', bind(key)), /logged at/);
    });

  it('has the message that its input failed, if the log names that input', () => {
    const of = (host: string) => ({ selfReport: report({ failedInputs: { [host]: at } }) });
    assert.match(textOf('port_missing', of('0.0.0.0:514')), /logged at 21:15:08: an input failed\.$/);
    assert.doesNotMatch(textOf('port_missing', of('0.0.0.0:515')), /logged at/);
  });

  it('has cause and message if another process has the port but the log gives another reason', () => {
    const taken = [socket('[::]:514', 999)];
    assert.match(
      textOf('port_taken', bind('udp :514', 'in-use'), taken),
      /logged at 21:15:08: address already in use\.$/,
    );
    const both = textOf('port_taken', bind('udp :514', 'denied'), taken);
    assert.match(both, /999/);
    assert.match(both, /permission denied, which is not what the exporter sees now\.$/);
  });
});

describe('an instance that is down', () => {
  it('has the subject of its last log line', () => {
    const lastMessage = { at, why: 'config' as const };
    assert.match(
      textOf('instance_down', { lastMessage }),
      /logged at 21:15:08: it exits, because of its configuration\.$/,
    );
  });
});

describe('datagrams that pile up', () => {
  const lost: Partial<Instance> = {};
  const queue = [socket('[::]:514', 4711, { receiveQueue: 212_000 })];
  const cause = (rest: Partial<Instance>) => textOf('queue_high', { ...lost, ...rest }, queue);

  it('are explained by the output, a burst or a frozen process', () => {
    assert.match(cause({ selfReport: report({ output: 'down' }) }), /output cannot be reached/);
    assert.match(cause({ selfReport: report({ output: 'slow' }) }), /accepts less than arrives/);
    assert.match(cause({ selfReport: report({ output: 'flowing' }) }), /a burst/);
    assert.doesNotMatch(cause({ selfReport: report({ output: 'flowing', wasFull: true }) }), /a burst/);
    assert.doesNotMatch(cause({}), /output|burst|frozen/);
  });
});
