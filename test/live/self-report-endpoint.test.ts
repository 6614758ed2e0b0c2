/** Stats endpoints of real processes over real sockets: which are queried, which are believed, and the cost for others. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { SelfReport } from '../../src/model/model.js';
import { openProcFs } from '../../src/proc/proc-fs.js';
import { systemClock } from '../../src/runtime/clock.js';
import { queryEndpoint } from '../../src/self-report/endpoint/endpoint-client.js';
import type { Query } from '../../src/self-report/endpoint/endpoint-poller.js';
import { listeningAt } from '../../src/self-report/endpoint/endpoint-target.js';
import { createSelfReports, type SelfReports } from '../../src/self-report/self-reports.js';
import type { StoredReports } from '../../src/self-report/stored-report.js';
import type { StatsSocket, Subject } from '../../src/self-report/subject.js';
import { listener, socket } from '../support/build.js';
import { endpointAt, processOf } from '../support/endpoints.js';
import { evening, metricsOf, type Period } from '../support/filebeat-log.js';
import { handClock } from '../support/hand-clock.js';
import { until } from '../support/live.js';
import { startStandIn } from '../support/stand-in.js';

const procfs = openProcFs('/proc');
const folder = mkdtempSync(join(tmpdir(), 'endpoint-'));
const open: { close(): void; closeAllConnections?(): void }[] = [];
after(() => {
  for (const server of open) {
    server.closeAllConnections?.();
    server.close();
  }
  rmSync(folder, { recursive: true, force: true });
});

type Answer = (path: string, response: ServerResponse) => void;

async function serve(answer: Answer, at: { path: string } | { port: number } = { port: 0 }): Promise<Server> {
  const server = createServer((request: IncomingMessage, response) => answer(request.url ?? '', response));
  await new Promise<void>((resolve) =>
    'path' in at ? server.listen(at.path, resolve) : server.listen(at.port, '127.0.0.1', resolve),
  );
  open.push(server);
  return server;
}

interface Said extends Period {
  uuid?: string;
  /** Seconds. */
  uptime?: number;
  entries?: unknown[];
}

const json =
  (said: () => Said): Answer =>
  (path, response) => {
    const { uuid, uptime, entries = [], ...period } = said();
    const stats = {
      ...metricsOf(period),
      beat: { info: uptime === undefined ? {} : { uptime: { ms: uptime * 1000 } } },
    };
    const body = path === '/' ? { uuid } : path === '/stats' ? stats : entries;
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  };

/** The uptime of a Filebeat that started in the evening. */
const started = (pid: number) => ({ ...processOf(pid), startTime: evening });

const tcp = (server: Server): StatsSocket => endpointAt((server.address() as AddressInfo).port);

const udp514 = listener(':514');
const socketOf = (inode: number) => socket('[::]:514', [], { inode });

const subjectOf = (stats: StatsSocket, rest: Partial<Subject> = {}): Subject => ({
  id: 'id',
  name: 'core',
  process: started(process.pid),
  logs: '/nowhere',
  data: '/nowhere',
  release: '9.6.0',
  listeners: [udp514],
  serving: [[socketOf(7)]],
  stats,
  ...rest,
});

const rules = { logs: false, http: true, silentAfter: 900 };

/** Polls until an answer has arrived. */
async function answered(reports: SelfReports, subject: Subject, kept: StoredReports, now = evening + 100) {
  const seen = await reports.poll([subject], kept, rules, now, true);
  return { kept: seen.stored, gaps: seen.gaps, report: seen.reports.get('id') as SelfReport };
}

/** Queries in this thread, with enough time for a busy machine. */
const nearAsk: Query = (target, withInputs) => queryEndpoint(target, withInputs, 60_000);

describe('the owner of an endpoint', () => {
  it('a single scan gets an answer', async () => {
    const server = await serve(json(() => ({ in: 5, acked: 5, active: 3201 })));
    const reports = createSelfReports(procfs, systemClock);
    const { report } = await answered(reports, subjectOf(tcp(server)), {});
    assert.deepEqual([report.success, report.counts?.acked, report.full], [true, 5, true]);
  });

  it('a socket of another process is not queried', async () => {
    const server = await serve(json(() => ({ in: 5, acked: 5, active: 0 })));
    const standIn = await startStandIn({ argv: ['filebeat'] });
    const reports = createSelfReports(
      procfs,
      handClock(() => evening + 100),
      nearAsk,
    );
    const { report, gaps } = await answered(reports, subjectOf(tcp(server), { process: started(standIn.pid) }), {});
    await standIn.stop();
    assert.deepEqual([report.success, report.active, gaps[0]?.reason], [false, undefined, 'vanished']);
  });

  const strangers: [string, Said][] = [
    ['another uuid', { active: 0, uuid: '00000000-0000-4000-8000-000000000002' }],
    ['no uuid', { active: 0 }],
    ['another start', { active: 0, uuid: '00000000-0000-4000-8000-000000000001', uptime: 900 }],
  ];
  for (const [title, said] of strangers)
    it(`an answer with ${title} is not believed`, async () => {
      const data = mkdtempSync(join(folder, 'data-'));
      writeFileSync(join(data, 'meta.json'), '{"uuid":"00000000-0000-4000-8000-000000000001"}');
      const server = await serve(json(() => said));
      const reports = createSelfReports(
        procfs,
        handClock(() => evening + 100),
        nearAsk,
      );
      const { report, gaps } = await answered(reports, subjectOf(tcp(server), { data }), {});
      assert.deepEqual([report.success, report.output, gaps[0]?.reason], [false, 'unknown', 'malformed']);
    });

  it('a valid answer is believed', async () => {
    const data = mkdtempSync(join(folder, 'data-'));
    writeFileSync(join(data, 'meta.json'), '{"uuid":"00000000-0000-4000-8000-000000000001"}');
    const server = await serve(json(() => ({ active: 0, uuid: '00000000-0000-4000-8000-000000000001', uptime: 99 })));
    const reports = createSelfReports(
      procfs,
      handClock(() => evening + 100),
      nearAsk,
    );
    assert.equal((await answered(reports, subjectOf(tcp(server), { data }), {})).report.success, true);
  });
});

describe('an endpoint on a unix socket', () => {
  it('is queried through the socket that the process itself holds', async () => {
    const path = join(folder, 'fb.sock');
    await serve(
      json(() => ({ in: 9, acked: 9, active: 0 })),
      { path },
    );
    const reports = createSelfReports(
      procfs,
      handClock(() => evening + 100),
      nearAsk,
    );
    const { report } = await answered(reports, subjectOf({ kind: 'unix', path }), {});
    assert.deepEqual([report.source, report.success, report.counts?.acked], ['http', true, 9]);
  });

  it('is not queried if another process has the path, or if it is a link or a regular file', async () => {
    const path = join(folder, 'other.sock');
    await serve(
      json(() => ({ in: 9, acked: 9, active: 0 })),
      { path },
    );
    const standIn = await startStandIn({ argv: ['filebeat'] });
    symlinkSync(path, join(folder, 'link.sock'));
    writeFileSync(join(folder, 'plain.sock'), '');
    const subjects = [
      subjectOf({ kind: 'unix', path }, { process: started(standIn.pid) }),
      subjectOf({ kind: 'unix', path: join(folder, 'link.sock') }),
      subjectOf({ kind: 'unix', path: join(folder, 'plain.sock') }),
    ];
    let asked = 0;
    const count: Query = (...question) => {
      asked++;
      return nearAsk(...question);
    };
    for (const subject of subjects)
      await createSelfReports(
        procfs,
        handClock(() => evening + 100),
        count,
      ).poll([subject], {}, rules, evening, true);
    await standIn.stop();
    assert.equal(asked, 0);
  });

  it('is a listening row of /proc/net/unix, whatever its path contains', () => {
    const table = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 31337 /run/a b.sock
0000000000000000: 00000003 00000000 00000000 0001 03 31338 /run/a b.sock
0000000000000000: 00000002 00000000 00010000 0005 01 31339 /run/a b.sock
0000000000000000: 00000002 00000000 00010000 0001 01 31340 @/run/a b.sock
`;
    assert.deepEqual(listeningAt(table, '/run/a b.sock'), [31337]);
  });
});

describe('counters of an endpoint', () => {
  it('continue over a restart of the exporter, count nothing twice, and begin with the first reading', async () => {
    let received = 100;
    const entry = () => ({ id: 'x', input: 'udp', device: '0.0.0.0:514', received_events_total: received });
    const server = await serve(json(() => ({ in: received, acked: received, active: 0, entries: [entry()] })));
    const subject = subjectOf(tcp(server));
    let kept: StoredReports = {};
    let now = evening + 100;
    const totals = async (reports: SelfReports) => {
      now += 6;
      const seen = await answered(reports, subject, kept, now);
      kept = seen.kept;
      return [seen.report.counts?.acked, seen.report.listeners['udp|*|514']?.received];
    };
    const clock = handClock(() => now);
    const first = createSelfReports(procfs, clock, nearAsk);
    assert.deepEqual(await totals(first), [100, 100]);
    received = 110;
    assert.deepEqual(await totals(first), [110, 110]);
    received = 125;
    const second = createSelfReports(procfs, clock, nearAsk);
    assert.deepEqual(await totals(second), [125, 125]);
    received = 130;
    assert.deepEqual(await totals(second), [130, 130]);
  });

  it('continue after a reload with a new socket, and after a restart of Filebeat', async () => {
    let said: Said = { in: 10, acked: 10, active: 0 };
    let received = 10;
    const server = await serve(
      json(() => ({
        ...said,
        entries: [{ id: 'x', input: 'udp', device: '0.0.0.0:514', received_events_total: received }],
      })),
    );
    const stats = tcp(server);
    let now = evening + 100;
    let kept: StoredReports = {};
    const reports = createSelfReports(
      procfs,
      handClock(() => now),
      nearAsk,
    );
    const look = async (rest: Partial<Subject>) => {
      now += 6;
      const seen = await answered(reports, subjectOf(stats, rest), kept, now);
      kept = seen.kept;
      return seen.report;
    };
    await look({});
    received = 3;
    said = { in: 13, acked: 13, active: 0 };
    const reloaded = await look({ serving: [[socketOf(8)]] });
    assert.deepEqual([reloaded.counts?.acked, reloaded.listeners['udp|*|514']?.received], [13, 13]);
  });
});

describe('silence at an endpoint', () => {
  it('is reported by its counters, continues over a restart of the exporter, and ends if it does not answer', async () => {
    let [received, alive] = [0, true];
    const entry = () => ({ id: 'x', input: 'udp', device: '0.0.0.0:514', received_events_total: received });
    const answer = json(() => ({ in: received, acked: received, active: 0, entries: [entry()] }));
    const server = await serve((path, response) => {
      if (alive) answer(path, response);
      else response.destroy();
    });
    const subject = subjectOf(tcp(server));
    let now = evening + 100;
    let kept: StoredReports = {};
    let reports = createSelfReports(
      procfs,
      handClock(() => now),
      nearAsk,
    );
    const look = async (later: number) => {
      now += later;
      const seen = await reports.poll([subject], kept, { ...rules, silentAfter: 20 }, now, true);
      kept = seen.stored;
      return seen.reports.get('id')!.listeners['udp|*|514']?.silent;
    };
    for (let n = 0; n < 20; n++) {
      received += 5;
      assert.equal(await look(10), undefined);
    }
    assert.deepEqual(await look(50), { forSeconds: 50, never: false });
    reports = createSelfReports(
      procfs,
      handClock(() => now),
      nearAsk,
    );
    assert.deepEqual(await look(6), { forSeconds: 56, never: false });
    alive = false;
    assert.equal(await look(6), undefined);
    alive = true;
    // Datagrams arrived while the exporter was down, which ends the silence.
    received += 1;
    reports = createSelfReports(
      procfs,
      handClock(() => now),
      nearAsk,
    );
    assert.equal(await look(600), undefined);
  });

  it('is not reported for a listener that is no longer counted', async () => {
    let counts = true;
    const entry = { id: 'x', input: 'udp', device: '0.0.0.0:514', received_events_total: 5 };
    const server = await serve(json(() => ({ in: 5, acked: 5, active: 0, entries: counts ? [entry] : [] })));
    let now = evening + 100;
    let kept: StoredReports = {};
    const reports = createSelfReports(
      procfs,
      handClock(() => now),
      nearAsk,
    );
    const look = async (later: number) => {
      now += later;
      const seen = await reports.poll([subjectOf(tcp(server))], kept, rules, now, true);
      kept = seen.stored;
      return seen.reports.get('id')!.listeners['udp|*|514'];
    };
    await look(0);
    await look(10);
    assert.equal((await look(1000))?.silent?.never, true);
    counts = false;
    assert.equal((await look(1000))?.silent, undefined);
  });
});

describe('a hostile endpoint', () => {
  it('fifty that never answer do not delay the scan, and one that answers is read', async () => {
    const mute = createTcp(() => undefined);
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    open.push(mute);
    const { port } = mute.address() as AddressInfo;
    const good = await serve(json(() => ({ in: 5, acked: 5, active: 0 })));
    const frozen = Array.from({ length: 50 }, (_, n) =>
      subjectOf(endpointAt(port), {
        id: `frozen-${n}`,
        name: `frozen-${n}`,
        process: { ...started(process.pid), pid: 4_000_000 + n },
      }),
    );
    const ours = subjectOf(tcp(good));
    const reports = createSelfReports(procfs, systemClock);
    const first = await reports.poll([...frozen, ours], {}, rules, evening + 100);
    assert.equal(first.gaps.length, 0, 'no answer is no failure yet');
    // Each scan ends long before the timeout of an endpoint; one of the scans reads the good one.
    let kept: StoredReports = {};
    const report = await until(
      'the one that answers is heard',
      async () => {
        const seen = await reports.poll([...frozen, ours], kept, rules, evening + 100);
        kept = seen.stored;
        return seen.reports.get('id')?.counts;
      },
      30,
    );
    assert.equal(report.acked, 5);
  });

  const bodies: [string, (response: ServerResponse) => void][] = [
    ['a byte now and then', (response) => void setInterval(() => response.write(' '), 50).unref()],
    [
      'a body without end',
      (response) => {
        const more = () => {
          while (!response.destroyed && response.write('x'.repeat(65_536)));
          if (!response.destroyed) response.once('drain', more);
        };
        more();
      },
    ],
    ['brackets without end', (response) => void response.end('[{"a":'.repeat(50_000))],
    ['a redirect', (response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
    ['numbers that are none', (response) => void response.end('{"libbeat":{"pipeline":{"events":{"active":-1e99}}}}')],
    ['null', (response) => void response.end('null')],
    ['binary', (response) => void response.end(Buffer.alloc(100_000, 0xff))],
  ];
  for (const [title, answer] of bodies)
    it(`with ${title} is a gap, without figures`, async () => {
      const server = await serve((_, response) => answer(response));
      const reports = createSelfReports(procfs, systemClock);
      const { report, gaps } = await answered(reports, subjectOf(tcp(server)), {});
      server.closeAllConnections();
      assert.deepEqual([report.success, report.active, gaps.length], [false, undefined, 1]);
    });
});
