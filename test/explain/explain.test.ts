import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { againstHost } from '../../src/explain/collisions.js';
import { compare, compareCode } from '../../src/explain/compare.js';
import type { Subject } from '../../src/explain/explained.js';
import { explainCode, explanation } from '../../src/explain/explanation.js';
import { racesOf } from '../../src/explain/races.js';
import { collisionText, ifTakenText, listenerText, socketText } from '../../src/explain/sentences.js';
import { compareText } from '../../src/exporter/terminal/compare-text.js';
import { explainText } from '../../src/exporter/terminal/explain-text.js';
import { newestOfLine, parseRelease } from '../../src/filebeat/releases/releases.js';
import type { Listener, Prediction } from '../../src/model/model.js';
import { instance, listener, prediction, process, socket } from '../support/build.js';

const subject: Subject = { config: 'filebeat.yml', remarks: [] };
const at = (line: number, file = '/etc/filebeat/filebeat.yml') => ({ declaredIn: { file, line } });
const exits = (line: number): Prediction =>
  prediction([], {
    outcome: 'exits',
    reason: { code: 'deprecated-input', subject: 'log', at: { file: '/etc/filebeat/filebeat.yml', line } },
  });
const code = (...predictions: Prediction[]) => explainCode(predictions.map((one) => explanation(subject, one)));
const unresolved: Partial<Listener> = { target: { kind: 'unresolved', why: 'keystore' }, address: '' };

describe('the exit code of explain', () => {
  it('is 0 if everything is known, including random and impossible listeners', () => {
    assert.equal(code(prediction([listener(':9000'), listener(':0'), listener('nonsense')])), 0);
  });
  it('is 3 if a listener depends on something that is not known', () => {
    assert.equal(code(prediction([listener(':9000'), listener('x', unresolved)])), 3);
    assert.equal(code(prediction([listener('collector.example:9000')])), 3);
  });
  it('is 3 if Filebeat decides by chance, or if inputs come from elsewhere', () => {
    for (const outcome of ['ambiguous', 'dynamic', 'unknown'] as const)
      assert.equal(code(prediction([], { outcome })), 3);
    assert.equal(code(prediction([listener(':9000', at(1)), listener(':9000', at(2))])), 3);
  });
  it('is 3 if a file could not be read', () => {
    assert.equal(code(prediction([], { gaps: [{ reason: 'denied', subject: '/etc/filebeat/inputs.d' }] })), 3);
  });
  it('is 1 for a refused input, and 0 for a module without an enabled fileset', () => {
    const lost = (code: string) => prediction([listener(':9000')], { faults: [{ code, costs: [] }] });
    assert.equal(code(lost('no-paths')), 1);
    assert.equal(code(lost('no-enabled-fileset')), 0);
    assert.equal(code(lost('no-module-folder')), 1);
  });
  it('is 3 if only some of the possible releases accept the files', () => {
    assert.equal(code(prediction([listener(':9000')], { doubts: [{ code: 'release-decides', costs: [] }] })), 3);
  });
  it('is 1 if Filebeat would not start, whatever else is not known', () => {
    assert.equal(code(prediction([listener('x', unresolved)]), exits(3)), 1);
  });
});

describe('listeners of one Filebeat that exclude each other', () => {
  const winners = (...all: Listener[]) => all.map((one) => racesOf(one, all).map((race) => race.winner));
  it('compete for the port', () => {
    assert.deepEqual(winners(listener(':9000', at(1)), listener('127.0.0.1:9000', at(2))), [['chance'], ['chance']]);
  });
  it('do not compete on different addresses, protocols or ports', () => {
    const apart = [listener('127.0.0.1:9000'), listener('127.0.0.2:9000'), listener(':9001')];
    assert.deepEqual(winners(...apart, listener(':9000', { protocol: 'tcp' })), [[], [], [], []]);
  });
  it('lose it to the stats endpoint, to an input that is not reloaded, and to an earlier syslog input', () => {
    const http = listener('localhost:5066', { protocol: 'tcp', input: 'http' });
    assert.deepEqual(winners(listener(':5066', { protocol: 'tcp' }), http), [['other'], ['this']]);
    const reloaded = listener(':9000', { reload: { periodSeconds: 10 } });
    assert.deepEqual(winners(reloaded, listener(':9000')), [['other'], ['this']]);
    assert.deepEqual(winners(listener(':9000', { input: 'syslog' }), listener(':9000')), [['this'], ['other']]);
    assert.deepEqual(winners(listener(':9000'), listener(':9000', { input: 'syslog' })), [['chance'], ['chance']]);
  });
  it('share the socket of an http_endpoint, and exclude each other by an equal id', () => {
    const shared = { protocol: 'tcp', input: 'http_endpoint', shares: true } as const;
    assert.deepEqual(winners(listener(':8000', shared), listener(':8000', shared)), [[], []]);
    const [one, two] = [listener(':1', { rival: 'id 1' }), listener(':2', { rival: 'id 1' })];
    assert.equal(racesOf(one, [one, two])[0]?.over, 'id');
  });
});

describe('the socket of a listener', () => {
  const rows: [host: string, endpoint: string, socket: string | undefined][] = [
    [':9000', '*:9000', 'udp6 [::]:9000 (IPv4 and IPv6)'],
    ['0.0.0.0:9000', '*:9000', 'udp6 [::]:9000 (IPv4 and IPv6)'],
    ['localhost:9000', '127.0.0.1:9000', 'udp 127.0.0.1:9000'],
    ['[::1]:9000', '[::1]:9000', 'udp6 [::1]:9000'],
    ['239.1.2.3:9000', '239.1.2.3:9000', 'udp 0.0.0.0:9000 (multicast: other sockets may bind it too)'],
    [':0', '*:(random)', 'udp6 [::]:(random) (IPv4 and IPv6)'],
    ['collector.example:9000', 'collector.example:9000', 'a udp socket on port 9000'],
    ['9000', '9000', undefined],
    ['::1:9000', '::1:9000', undefined],
  ];
  for (const [host, endpoint, becomes] of rows)
    it(`${host} is ${becomes ?? 'none'}`, () => {
      assert.equal(listenerText(listener(host)), endpoint);
      assert.equal(socketText(listener(host)), becomes);
    });

  it('what happens if the port is taken depends on input type and release', () => {
    const said = (release: string, rest: Partial<Listener> = {}) =>
      ifTakenText(listener(':9000', rest), parseRelease(release)!);
    assert.match(said('9.6.0')!, /no socket until a restart$/);
    assert.match(said('9.6.0', { reload: { periodSeconds: 10 } })!, /or an edit of its entry$/);
    assert.match(said('7.8.0')!, /crashes the whole process$/);
    assert.match(said('8.12.0', { input: 'netflow', retry: 'deaf' })!, /discards everything/);
    assert.equal(said('8.19.0', { input: 'http', protocol: 'tcp' }), 'Filebeat does not start');
    assert.doesNotMatch(said('6.8.23', { input: 'http', protocol: 'tcp' })!, /does not start/);
  });
});

describe('collisions with the host', () => {
  const mine = [listener(':9000', at(3)), listener('127.0.0.1:9001', at(6)), listener(':9002', at(9))];
  const bound = [socket('127.0.0.1:9000', 77), socket('127.0.0.2:9001', 78), socket('[::]:9002', 10)];
  const other = instance('edge', 77, [listener(':9000', { ...at(4, '/etc/filebeat/edge.yml') })]);
  const near = { sockets: bound, others: [other], own: [process(10)], dataSharedWith: [], gaps: [] };

  it('name the owner of the endpoint, and where another instance declares it', () => {
    const told = againstHost(explanation(subject, prediction(mine)), near);
    assert.deepEqual(
      told.listeners.map(({ collisions }) => collisions?.map(collisionText)),
      [['127.0.0.1:9000 is bound by pid 77 (filebeat), the instance “edge” (/etc/filebeat/edge.yml:4)'], [], []],
    );
    assert.equal(explainCode([told]), 1);
  });
  it('are none with the Filebeat’s own process', () => {
    const told = againstHost(explanation(subject, prediction(mine)), {
      ...near,
      others: [],
      own: [process(77), process(10)],
    });
    assert.deepEqual(
      told.listeners.flatMap(({ collisions }) => collisions),
      [],
    );
    assert.equal(explainCode([told]), 0);
  });
  it('include listeners of an instance that is down', () => {
    const down = instance('edge', undefined, other.expected);
    const told = againstHost(explanation(subject, prediction(mine)), { ...near, sockets: [], others: [down] });
    assert.deepEqual(told.listeners[0]?.collisions?.map(collisionText), [
      'the instance “edge” declares it too (/etc/filebeat/edge.yml:4)',
    ]);
  });
  it('include a stats endpoint whose address the host lacks: this release would not start', () => {
    const stats = listener('192.0.2.77:5066', { protocol: 'tcp', input: 'http' });
    const addresses = ['127.0.0.0/8', '::1'];
    const told = (version: string) => {
      const base = prediction([stats], { release: { version, source: 'option' } });
      return againstHost(explanation(subject, base), { ...near, addresses });
    };
    assert.equal(explainCode([told('8.19.0')]), 1);
    assert.equal(explainCode([told('6.8.0')]), 0);
    assert.match(explainText([told('8.19.0')], [], { color: false }), /would not start: its stats endpoint/);
  });
  it('are not known if the socket tables could not be read', () => {
    const gaps = [{ reason: 'missing', subject: 'the socket tables of its network namespace' }] as const;
    const told = againstHost(explanation(subject, prediction(mine)), {
      ...near,
      sockets: [],
      others: [],
      gaps: [...gaps],
    });
    assert.equal(explainCode([told]), 3);
  });
});

describe('two releases compared', () => {
  const judged = (before: Prediction, after: Prediction | undefined) => compare(subject, before, after, '9.6.0');
  const nine = listener(':9000', at(3));

  it('are the same if every listener stays, on whatever line', () => {
    const one = judged(prediction([nine]), prediction([listener(':9000', at(8))]));
    assert.equal(one.answer, 'same');
    assert.equal(one.unchanged, 1);
  });
  it('differ if Filebeat would no longer start: all listeners are lost, and the line to edit is named', () => {
    const one = judged(prediction([nine]), exits(7));
    assert.equal(one.answer, 'changes');
    assert.deepEqual(one.lost, [nine]);
    assert.match(
      compareText([one], [], { color: false }),
      /would not start under 9\.6\.0\n.*allow_deprecated_use: true\. \(\/etc\/filebeat\/filebeat\.yml:7\)/,
    );
  });
  it('are the same if Filebeat starts under neither', () => assert.equal(judged(exits(1), exits(2)).answer, 'same'));
  it('distinguish a move from a loss and a gain by the declaration', () => {
    const fileset = { ...at(5), input: 'barracuda/waf' };
    const one = judged(
      prediction([listener('localhost:9503', fileset)]),
      prediction([listener('localhost:9525', fileset)]),
    );
    assert.deepEqual([one.lost, one.gained, one.moved.length, one.answer], [[], [], 1, 'changes']);
  });
  it('lose nothing if another input declares the same endpoint', () => {
    const twice = prediction([nine, listener(':9000', at(9))]);
    const one = judged(twice, prediction([nine]));
    assert.equal(one.answer, 'same');
    assert.deepEqual(judged(prediction([nine]), twice).clashing, [nine]);
  });
  it('are not known if one side is not known', () => {
    const opaque = prediction([], { outcome: 'ambiguous' });
    for (const one of [
      judged(prediction([nine]), undefined),
      judged(opaque, exits(1)),
      judged(prediction([nine]), opaque),
    ])
      assert.equal(one.answer, 'unknown');
    const keystore = prediction([listener('x', unresolved)]);
    assert.equal(judged(keystore, keystore).answer, 'unknown');
  });
  it('give exit code 1 rather than 3', () => {
    const [changes, unknown] = [judged(prediction([nine]), exits(1)), judged(prediction([nine]), undefined)];
    const same = judged(prediction([nine]), prediction([nine]));
    assert.deepEqual([[same], [same, unknown], [unknown, changes], []].map(compareCode), [0, 3, 1, 0]);
  });
});

describe('the newest release of a line', () => {
  it('is a full version; a full version is returned unchanged', () => {
    assert.equal(newestOfLine('9.2.1'), '9.2.1');
    for (const [line, pattern] of [
      ['9.2', /^9\.2\.[1-9]/],
      ['9', /^9\.6\.\d+$/],
      ['8', /^8\.19\.[1-9]\d$/],
      ['7', /^7\.17\.[1-9]\d$/],
    ] as const)
      assert.match(newestOfLine(line), pattern);
  });
  it('is x.y.0 for an unknown line', () => {
    assert.deepEqual(['9.99', '12'].map(newestOfLine), ['9.99.0', '12.0.0']);
  });
});

describe('the text of explain', () => {
  it('sends no control characters from names to the terminal', () => {
    const evil = prediction([
      listener(':9000', { declaredIn: { file: '/etc/\u001b[2J/x.yml', line: 1 }, notes: ['a\u0007b'] }),
    ]);
    const text = explainText([explanation({ ...subject, config: 'a\u001b]0;x\u0007' }, evil)], [], { color: false });
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f]/);
  });
  it('fits the terminal except for paths', () => {
    const text = explainText([explanation(subject, prediction([listener('collector.example:9000')]))], [], {
      color: false,
      columns: 60,
    });
    for (const line of text.split('\n')) assert.ok(line.length <= 60 || !line.trim().slice(11).includes(' '), line);
  });
});
