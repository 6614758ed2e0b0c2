/** The event flow on the page and in the terminal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { homePage } from '../../src/exporter/page/home-page.js';
import { checkText } from '../../src/exporter/terminal/check-text.js';
import type { Report, SelfReport } from '../../src/model/model.js';
import { emptyHistory, nextHistory } from '../../src/report/history.js';
import { port, report, running, takenAt } from '../support/report.js';

const home = (of: Report) => homePage(of, new URLSearchParams(), { version: '0.1.0', telemetryPath: '/metrics' });
const check = (of: Report) => checkText(of, { color: false, quiet: false });
const text = (page: string) => page.replace(/<title>[^<]*<\/title>|<[^>]*>/g, ' ').replace(/ +/g, ' ');
const section = (page: string, id: string) =>
  text(page.slice(page.indexOf(`<section id="${id}"`)).split('</section>')[0]!);

const said = (rest: Partial<SelfReport>): SelfReport => ({
  source: 'log',
  success: true,
  at: takenAt - 10,
  output: 'flowing',
  active: 195,
  queueMax: 3200,
  rates: { in: 100, out: 100 },
  outputType: 'logstash',
  listeners: {},
  ...rest,
});

const host = (rest: Partial<SelfReport>, other: Partial<SelfReport> = {}) =>
  report({
    instances: [
      { is: running('core', 100, { selfReport: said(other) }), ports: [port(9000)] },
      { is: running('dmz', 101, { selfReport: said(rest) }), ports: [port(9001)] },
      { is: running('mute', 102), ports: [port(9002)] },
    ],
  });

const down = {
  output: 'down' as const,
  outputForSeconds: 140,
  active: 3201,
  full: true as const,
  rates: { in: 0, out: 0 },
};

test('each instance has a row with in, queue, out and the state of its events, the worst first', () => {
  const events = section(home(host(down)), 'events');
  assert.match(events, /dmz 0\/s → 3,201 of 3,200 → 0\/s logstash output not reached for 2m 20s log, 10s ago/);
  assert.match(events, /core 100\/s → 195 of 3,200 → 100\/s logstash flowing log, 10s ago/);
  assert.ok(events.indexOf('dmz') < events.indexOf('core'));
  assert.match(events, /1 other running instance without figures/);
  assert.match(check(host(down)), /^dmz +0\/s +3,201 of 3,200 +0\/s +logstash +output not reached for 2m 20s$/m);
});

test('without self-reports there is no events table', () => {
  const none = report({ instances: [{ is: running('core'), ports: [port(9000)] }] });
  assert.equal(section(home(none), 'events').trim(), '');
  assert.doesNotMatch(check(none), /EVENTS/);
});

const states: [Partial<SelfReport>, RegExp][] = [
  [{ success: false }, /could not be read/],
  [{ lostRecently: 12_000 }, /12,000 lost at the output within 5m/],
  [{ output: 'slow', full: true, outputForSeconds: 61 }, /output too slow for 1m 1s/],
  [{ output: 'unknown', full: true }, /queue full/],
  [{ output: 'unknown' }, /not known yet/],
];
for (const [rest, expected] of states)
  test(`the state of its events reads: ${expected.source}`, () =>
    assert.match(section(home(host(rest)), 'events'), expected));

test('old figures are not shown as current ones', () => {
  const { active: _, rates: __, ...old } = said({ output: 'unknown', at: takenAt - 3600 });
  const page = home(report({ instances: [{ is: running('core', 100, { selfReport: old }), ports: [port(9000)] }] }));
  assert.match(section(page, 'events'), /the last figures are old log, 1h ago/);
});

const listeners = (received: number, lastArrival?: number, silent?: { forSeconds: number; never: boolean }) => ({
  'udp|*|9001': {
    received,
    ...(lastArrival === undefined ? {} : { lastArrival }),
    ...(silent === undefined ? {} : { silent }),
  },
});

test('the ports table and check show the last arrival if Filebeat counts arrivals', () => {
  const page = home(host({ listeners: listeners(7, takenAt - 90) }));
  assert.match(section(page, 'ports'), /Last arrival/);
  assert.match(section(page, 'ports'), /udp \*:9001 listening .* 1m 30s ago/);
  assert.match(
    check(host({ listeners: listeners(7, takenAt - 90) })),
    /^dmz +udp +\*:9001 +listening +udp +1m 30s ago/m,
  );
  assert.match(section(home(host({ listeners: listeners(7) })), 'ports'), /none yet/);
  assert.doesNotMatch(section(home(host({})), 'ports'), /Last arrival/);
});

test('the drawing of a port shows arrivals and drops', () => {
  const scans = [0, 500, 500, 500].map((received, n) => {
    const one = host({ listeners: listeners(100 + received, takenAt) });
    one.snapshot.takenAt = takenAt + n * 60;
    return one;
  });
  const history = scans.reduce(nextHistory, emptyHistory);
  const last = { ...scans.at(-1)!, history };
  assert.deepEqual(history.ports[last.verdict.instances[1]!.id]!['udp|*|9001']!.came, [0, 0, 1, 3, 2, 0]);
  assert.match(home(last), /aria-label="3m: served all the time, nothing arrived for the last 2m"/);
  assert.match(home(last), /<rect class="came"/);
});

test('the first line says that an output fails and that a port is silent', () => {
  const one = host(down);
  const at = { name: 'dmz', cause: { kind: 'none' as const } };
  const told = {
    ...one,
    verdict: {
      ...one.verdict,
      mismatches: [
        { ...at, code: 'output_failing' as const },
        { ...at, code: 'port_silent' as const },
        { ...at, code: 'port_silent' as const, severity: 'info' as const },
      ],
    },
  };
  assert.match(home(told), /<h1>3 instances, 3 ports served, 1 output failing, 1 port silent, 1 warning<\/h1>/);
});
