/**
 * Filebeats of six releases that go from health into a situation and back, seen through the log that a real process has
 * open and through an endpoint, with every scan interval: the right report comes in time, and never a wrong one.
 */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { outputMismatches, silentPorts } from '../../src/correlate/judge-output.js';
import type { Instance, MismatchCode } from '../../src/model/model.js';
import { openProcFs } from '../../src/proc/proc-fs.js';
import type { Query } from '../../src/self-report/endpoint/endpoint-poller.js';
import { createSelfReports } from '../../src/self-report/self-reports.js';
import type { StoredReports } from '../../src/self-report/stored-report.js';
import type { StatsSocket, Subject } from '../../src/self-report/subject.js';
import { instance, listener, socket } from '../support/build.js';
import { endpointAt, processOf } from '../support/endpoints.js';
import { evening } from '../support/filebeat-log.js';
import {
  createFilebeatModel,
  type ModelRelease,
  type ModelSituation,
  modelReleases,
  situations,
} from '../support/filebeat-model.js';
import { handClock } from '../support/hand-clock.js';
import { startStandIn } from '../support/stand-in.js';

const procfs = openProcFs('/proc');
const folder = mkdtempSync(join(tmpdir(), 'situations-'));
const rhythms = [5, 15, 60, 120];
const sources = ['log', 'http'] as const;

/** Reports that must appear, and reports that may. */
const expected: Record<ModelSituation, MismatchCode | undefined> = {
  healthy: undefined,
  silent: undefined,
  sparse: undefined,
  filtered: undefined,
  burst: undefined,
  closed: 'output_failing',
  refused: 'output_failing',
  mute: 'output_failing',
  slow: 'output_slow',
  rejected: 'events_dropped',
  'disk-full': 'events_dropped',
};

/** Duration of health, situation and health in seconds. */
const [begins, ends, over] = [600, 1500, 2700];

const wanted = listener(':514');
const held = socket('[::]:514', []);

const server = createServer();
let stats: StatsSocket;
before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stats = endpointAt((server.address() as { port: number }).port);
});
after(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

type Told = [second: number, codes: MismatchCode[]];

/** The reports of each scan. */
async function run(
  release: ModelRelease,
  situation: ModelSituation,
  source: (typeof sources)[number],
  rhythm: number,
  restartsAt?: number,
): Promise<Told[]> {
  const log = join(folder, `${release}-${situation}-${source}-${rhythm}`);
  writeFileSync(log, '');
  const standIn = source === 'log' ? await startStandIn({ argv: ['filebeat'], log }) : undefined;
  const model = createFilebeatModel(release);
  let now = evening;
  const clock = handClock(() => now);
  const counts = release !== '7.17.16';
  const ask: Query = async () => ({
    ok: true,
    answer: {
      figures: model.figures(),
      entries: counts ? [{ id: 'one', type: 'udp', device: '0.0.0.0:514', received: model.received() }] : [],
    },
  });
  let reports = createSelfReports(procfs, clock, ask);
  const subject: Subject = {
    id: 'id',
    name: 'core',
    process: { ...processOf(standIn?.pid ?? process.pid), startTime: evening },
    logs: folder,
    data: '/nowhere',
    release,
    listeners: [wanted],
    serving: [[held]],
    ...(source === 'http' ? { stats } : {}),
  };
  const rules = { logs: source === 'log', http: source === 'http', silentAfter: 60 };
  const told: Told[] = [];
  let kept: StoredReports = {};
  for (let second = 1; second <= over; second++) {
    now = evening + second;
    model.step(second > begins && second <= ends ? situation : 'healthy');
    const line = model.line();
    if (line !== undefined && source === 'log') appendFileSync(log, `${line}\n`);
    if (second === restartsAt) reports = createSelfReports(procfs, clock, ask);
    if (second % rhythm !== 0) continue;
    const look = await reports.poll([subject], kept, rules, now, true);
    kept = look.stored;
    const report = look.reports.get('id');
    const one: Instance = {
      ...instance('core', 4711, [wanted]),
      ...(report === undefined ? {} : { selfReport: report }),
    };
    const port = {
      protocol: 'udp' as const,
      address: '*',
      port: 514,
      input: 'udp',
      listeners: [wanted],
      up: true,
      status: 'listening' as const,
    };
    const silent = silentPorts(one, [port]).filter(({ severity }) => severity !== 'info');
    told.push([second, [...outputMismatches(one), ...silent].map(({ code }) => code)]);
  }
  await standIn?.stop();
  return told;
}

function judge(told: readonly Told[], code: MismatchCode | undefined, source: string, rhythm: number): void {
  // A log has figures every 30 s; a verdict takes two samples 25 s apart, a failing output a minute more.
  const lag = source === 'log' ? 30 : 0;
  // Silence is three times the longest pause, which is the scan interval.
  const usual = code === 'port_silent' ? 3 * Math.max(30, rhythm) : 60;
  const found = begins + lag + 60 + usual + 2 * rhythm;
  const gone = ends + lag + 60 + 2 * rhythm + (code === 'events_dropped' ? 300 : 0);
  for (const [second, codes] of told) {
    const wrong = codes.filter((one) => one !== code || second <= begins || second > gone);
    assert.deepEqual(wrong, [], `at ${second} s`);
    if (code !== undefined && second > found && second <= ends)
      assert.ok(codes.includes(code), `${code} at ${second} s`);
  }
}

for (const release of modelReleases)
  describe(`Filebeat ${release}`, () => {
    for (const situation of situations)
      for (const source of sources)
        it(`${situation}, by its ${source}: reports ${expected[situation] ?? 'nothing'} with every scan interval`, async () => {
          for (const rhythm of rhythms) {
            // A silent port is reported only if it is counted.
            const counts = source === 'http' ? release !== '7.17.16' : /^9\./.test(release);
            const code = situation === 'silent' && counts ? 'port_silent' : expected[situation];
            judge(await run(release, situation, source, rhythm), code, source, rhythm);
          }
        });
  });

describe('a restart of the exporter', () => {
  for (const source of sources)
    it(`during health and silence gives no wrong report, by the ${source}`, async () => {
      for (const at of [300, 1000, 1900]) {
        judge(await run('9.6.0', 'sparse', source, 15, at), undefined, source, 15);
        const told = await run('9.6.0', 'silent', source, 15, at);
        for (const [second, codes] of told) if (second <= begins) assert.deepEqual(codes, [], `at ${second} s`);
      }
    });
});
