/** Logs and endpoints of real processes, through the real /proc. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openProcFs } from '../../src/proc/proc-fs.js';
import { queryEndpoint } from '../../src/self-report/endpoint/endpoint-client.js';
import { createEndpointPoller } from '../../src/self-report/endpoint/endpoint-poller.js';
import { createLogReader } from '../../src/self-report/log/log-reader.js';
import { createSelfReports } from '../../src/self-report/self-reports.js';
import type { StoredReports } from '../../src/self-report/stored-report.js';
import type { Subject } from '../../src/self-report/subject.js';
import { listener, socket as socketAt } from '../support/build.js';
import { endpointAt, processOf } from '../support/endpoints.js';
import { evening, type Form, metricsLine, metricsOf, said } from '../support/filebeat-log.js';
import { handClock } from '../support/hand-clock.js';
import { until } from '../support/live.js';
import { type StandIn, startStandIn } from '../support/stand-in.js';

const procfs = openProcFs('/proc');
const folder = mkdtempSync(join(tmpdir(), 'self-report-'));
const running: StandIn[] = [];
after(async () => {
  for (const one of running) await one.stop();
  rmSync(folder, { recursive: true, force: true });
});

let number = 0;
async function filebeat(content = '', ending = 'ndjson') {
  const log = join(folder, `log-${++number}.${ending}`);
  writeFileSync(log, content);
  const standIn = await startStandIn({ argv: ['filebeat', '-c', '/x.yml'], log });
  running.push(standIn);
  return { standIn, log, process: processOf(standIn.pid) };
}

const udp = (port: number) => listener(`:${port}`);
const socket = (port: number, inode = 1) => socketAt(`[::]:${port}`, [], { inode });

describe('the log file that a process has open', () => {
  it('is read from its end, then what is appended, also lines that are split between two polls', async () => {
    const { log, process } = await filebeat(`${metricsLine('json', evening, { in: 1, active: 1 })}\n`);
    const reader = createLogReader(procfs, () => 0);
    const first = reader.read(process, folder);
    assert.ok(first.kind === 'read');
    assert.equal(first.facts.length, 1);
    const next = metricsLine('json', evening + 30, { in: 2, active: 2 });
    appendFileSync(log, next.slice(0, 100));
    assert.deepEqual(reader.read(process, folder), { kind: 'read', facts: [], skipped: false, path: log });
    appendFileSync(log, `${next.slice(100)}\n`);
    const second = reader.read(process, folder);
    assert.ok(second.kind === 'read');
    assert.deepEqual(
      second.facts.map(({ at }) => at),
      [evening + 30],
    );
  });

  it('is read on after truncation; binary or very long lines do not affect others', async () => {
    const { log, process } = await filebeat(`${metricsLine('text', evening, { in: 1, active: 1 })}\n`, 'log');
    const reader = createLogReader(procfs, () => 0);
    reader.read(process, folder);
    appendFileSync(log, Buffer.concat([Buffer.alloc(400_000, 0xff), Buffer.from('\n')]));
    appendFileSync(log, `${said('text', evening + 1, 'failed to publish events: x')}\n`);
    const seen = reader.read(process, folder);
    assert.ok(seen.kind === 'read');
    assert.deepEqual(
      seen.facts.map(({ kind }) => kind),
      ['output_publish'],
    );
    truncateSync(log, 0);
    appendFileSync(log, `${said('text', evening + 2, 'something')}\n`);
    const after = reader.read(process, folder);
    assert.ok(after.kind === 'read');
    assert.deepEqual(
      after.facts.map(({ kind }) => kind),
      ['other'],
    );
  });

  it('is the same file under another name after a rename', async () => {
    const { log, process } = await filebeat(`${said('json', evening, 'x')}\n`);
    const reader = createLogReader(procfs, () => 0);
    reader.read(process, folder);
    renameSync(log, `${log}.1`);
    appendFileSync(`${log}.1`, `${said('json', evening + 1, 'y')}\n`);
    const seen = reader.read(process, folder);
    assert.ok(seen.kind === 'read' && seen.facts.length === 1);
  });

  it('is read on after a rotation in the middle of a line, without the partial line', async () => {
    const { log, standIn, process } = await filebeat(`${said('json', evening, 'x')}\n`);
    const reader = createLogReader(procfs, () => 0);
    reader.read(process, folder);
    appendFileSync(log, said('json', evening + 1, 'torn').slice(0, 60));
    assert.deepEqual(reader.read(process, folder), { kind: 'read', facts: [], skipped: false, path: log });
    // The same descriptor number, another file: Filebeat closes the old file and opens the next.
    const { pid } = standIn;
    await standIn.stop();
    const next = await filebeat(`${said('json', evening + 2, 'y')}\n`);
    assert.notEqual(next.process.pid, pid);
    const seen = reader.read({ ...next.process, pid: next.process.pid }, folder);
    assert.ok(seen.kind === 'read');
    assert.deepEqual(
      seen.facts.map(({ at }) => at),
      [evening + 2],
    );
  });

  it('skips a line of more than 256 KB, even if it comes in pieces and its end looks like a line', async () => {
    const { log, process } = await filebeat(`${said('json', evening, 'x')}\n`);
    const reader = createLogReader(procfs, () => 0);
    reader.read(process, folder);
    appendFileSync(log, `{"message":"${'x'.repeat(300_000)}`);
    reader.read(process, folder);
    appendFileSync(
      log,
      `${said('json', evening + 1, 'failed to publish events: forged')}\n${said('json', evening + 2, 'y')}\n`,
    );
    const seen = reader.read(process, folder);
    assert.ok(seen.kind === 'read');
    assert.deepEqual(
      seen.facts.map(({ at }) => at),
      [evening + 2],
    );
  });

  it('is never the file of the file output, or the one with rejected events', async () => {
    for (const content of [
      '{"@timestamp":"2026-11-26T21:00:00Z","@metadata":{"beat":"filebeat"},"message":"secret"}\n',
      '{"log.level":"warn","@timestamp":"2026-11-26T21:00:00Z","log.type":"event","message":"secret"}\n',
    ]) {
      const { process } = await filebeat(content);
      assert.deepEqual(createLogReader(procfs, () => 0).read(process, folder), { kind: 'none' });
    }
  });

  it('is not a gap if it is missing', async () => {
    const standIn = await startStandIn({ argv: ['filebeat'] });
    running.push(standIn);
    const process = processOf(standIn.pid);
    assert.deepEqual(createLogReader(procfs, () => 0).read(process, folder), { kind: 'none' });
  });
});

const rules = { logs: true, http: false, silentAfter: 900 };

function subject(process: { pid: number; startTicks: number }, rest: Partial<Subject> = {}): Subject {
  return {
    id: 'id',
    name: 'core',
    process: { ...process, startTime: evening },
    logs: folder,
    data: '/var/lib/x',
    release: '9.6.0',
    listeners: [udp(514)],
    serving: [[socket(514)]],
    ...rest,
  };
}

describe('a self-report', () => {
  for (const form of ['text', 'json'] satisfies Form[])
    it(`reports an output that is down for two periods, ${form}`, async () => {
      const lines = [30, 60, 90].map((s) =>
        metricsLine(form, evening + s, { in: 1000, active: s === 90 ? 3201 : (s / 30) * 1000 }),
      );
      const { process } = await filebeat(`${lines.join('\n')}\n`, form === 'text' ? 'log' : 'ndjson');
      const reports = createSelfReports(
        procfs,
        handClock(() => evening + 95),
      );
      const look = await reports.poll([subject(process)], {}, rules, evening + 95);
      const report = look.reports.get('id')!;
      assert.deepEqual([report.source, report.output, report.outputForSeconds, report.full], ['log', 'down', 60, true]);
      assert.equal(report.counts?.events, 3000);
      assert.equal(report.outputType, 'logstash');
    });

  it('has counters that continue over restarts of exporter and Filebeat, and count no line twice', async () => {
    const { log, process } = await filebeat(`${metricsLine('json', evening + 30, { in: 10, acked: 10, active: 0 })}\n`);
    const clock = handClock(() => evening + 40);
    let kept: StoredReports = (await createSelfReports(procfs, clock).poll([subject(process)], {}, rules, evening + 40))
      .stored;
    assert.equal(kept['core']!.counts.acked, 10);
    appendFileSync(log, `${metricsLine('json', evening + 60, { in: 5, acked: 5, active: 0 })}\n`);
    kept = (await createSelfReports(procfs, clock).poll([subject(process)], kept, rules, evening + 61)).stored;
    assert.equal(kept['core']!.counts.acked, 15);
    const next = await filebeat(`${metricsLine('json', evening + 130, { in: 3, acked: 3, active: 0 })}\n`);
    const again = subject(next.process, { process: { ...next.process, startTime: evening + 100 } });
    kept = (await createSelfReports(procfs, clock).poll([again], kept, rules, evening + 140)).stored;
    assert.equal(kept['core']!.counts.acked, 18);
  });

  it('ignores lines of an earlier process in the same file', async () => {
    const lines = [
      metricsLine('json', evening - 60, { in: 900, acked: 900, active: 0 }),
      metricsLine('json', evening + 30, { in: 4, acked: 4, active: 0 }),
    ];
    const { process } = await filebeat(`${lines.join('\n')}\n`);
    const reports = createSelfReports(
      procfs,
      handClock(() => evening + 40),
    );
    assert.equal((await reports.poll([subject(process)], {}, rules, evening + 40)).stored['core']!.counts.acked, 4);
  });

  it('is not available from a file that two processes write, and that is not silence', async () => {
    const start = (at: number, pid: number) =>
      said('json', at, 'Process info', {
        system_info: { process: { pid, start_time: new Date(at * 1000).toISOString() } },
      });
    const { process } = await filebeat(
      `${[start(evening, 1), metricsLine('json', evening + 30, { in: 5, active: 5 }), start(evening + 40, 2), metricsLine('json', evening + 70, { in: 9, active: 900 })].join('\n')}\n`,
    );
    const reports = createSelfReports(
      procfs,
      handClock(() => evening + 75),
    );
    const report = (await reports.poll([subject(process)], {}, rules, evening + 75)).reports.get('id')!;
    assert.deepEqual([report.success, report.output, report.active], [false, 'unknown', undefined]);
  });

  it('has the datagrams of each listener by the id that the log names once', async () => {
    const first = {
      '  67B69E85691941': { received: 7, device: '0.0.0.0:514' },
      other: { received: 1, device: 'nobody:1' },
    };
    const lines = [
      metricsLine('json', evening + 30, { in: 7, acked: 7, active: 0, inputs: first }),
      metricsLine('json', evening + 60, {
        in: 5,
        acked: 5,
        active: 0,
        inputs: { '  67B69E85691941': { received: 5 } },
      }),
    ];
    const { process } = await filebeat(`${lines.join('\n')}\n`);
    const reports = createSelfReports(
      procfs,
      handClock(() => evening + 70),
    );
    const report = (await reports.poll([subject(process)], {}, rules, evening + 70)).reports.get('id')!;
    assert.equal(report.listeners['udp|*|514']?.received, 12);
    assert.equal(report.listeners['udp|*|514']?.lastArrival, evening + 60, 'the end of the period');
  });

  it('can report the silence of a port after its own time', async () => {
    const { log, process } = await filebeat(
      `${metricsLine('json', evening + 5, { active: 0, inputs: { a: { received: 1, device: '0.0.0.0:514' } } })}\n`,
    );
    let now = evening + 5;
    const reports = createSelfReports(
      procfs,
      handClock(() => now),
    );
    const silent = async (silentAfter: number) => {
      const own = { ...rules, ports: [{ protocol: 'udp' as const, port: 514, silentAfter }] };
      const look = await reports.poll([subject(process)], kept, own, now);
      kept = look.stored;
      return look.reports.get('id')!.listeners['udp|*|514']?.silent;
    };
    let kept: StoredReports = {};
    for (let n = 1; n <= 8; n++) {
      assert.equal(await silent(10), undefined);
      now += 10;
      appendFileSync(log, `${metricsLine('json', now, { active: 0, inputs: { a: { received: 1 } } })}\n`);
    }
    await silent(10);
    now += 45;
    assert.deepEqual(await silent(10), { forSeconds: 45, never: false });
    assert.equal(await silent(0), undefined);
  });

  it('does not report silence or change counters if the log stands still', async () => {
    const { process } = await filebeat(
      `${metricsLine('json', evening + 30, { active: 0, inputs: { a: { received: 1, device: '0.0.0.0:514' } } })}\n`,
    );
    let now = evening + 35;
    const reports = createSelfReports(
      procfs,
      handClock(() => now),
    );
    const look = async (kept: StoredReports) =>
      reports.poll([subject(process)], kept, { ...rules, silentAfter: 10 }, now);
    let seen = await look({});
    now += 3600;
    seen = await look(seen.stored);
    now += 3600;
    const last = await look(seen.stored);
    assert.equal(last.stored, seen.stored);
    assert.equal(last.reports.get('id')?.listeners['udp|*|514']?.silent, undefined);
    assert.equal(last.reports.get('id')?.active, undefined);
  });

  it('passes on no text of the log', async () => {
    const secret = 'hunter2canary';
    const lines = [
      said('json', evening + 1, `Failed to connect to backoff(elasticsearch(http://es/${secret})): 401 ${secret}`),
      said('json', evening + 2, `${secret}: unknown trouble`, { id: secret, 'error.message': secret }),
      metricsLine('json', evening + 30, {
        in: 1,
        active: 1,
        inputs: { [secret]: { received: 1, device: `${secret}:99` } },
      }),
    ];
    const { process } = await filebeat(`${lines.join('\n')}\n`);
    const reports = createSelfReports(
      procfs,
      handClock(() => evening + 40),
    );
    const look = await reports.poll([subject(process)], {}, rules, evening + 40);
    assert.doesNotMatch(JSON.stringify([...look.reports.values(), look.gaps]), new RegExp(secret));
    assert.deepEqual(look.reports.get('id')!.logErrors?.output_connect, 1);
  });
});

/** An endpoint on loopback; `answer` gives the response for each path. */
async function endpoint(answer: (path: string) => { status?: number; body: string; hang?: boolean }) {
  const server = createServer((request, response) => {
    const { status = 200, body, hang } = answer(request.url ?? '');
    if (hang) return;
    response.writeHead(status, { 'content-type': 'application/json', location: 'http://127.0.0.1:1/' });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    target: { address: '127.0.0.1', port },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe('the stats endpoint', () => {
  const stats = JSON.stringify(metricsOf({ in: 5, acked: 5, active: 0 }));

  it('returns figures', async () => {
    const { target, close } = await endpoint((path) => ({
      body: path === '/' ? '{"uuid":"u"}' : path === '/stats' ? stats : '[]',
    }));
    const result = await queryEndpoint(target, true, 60_000);
    close();
    assert.ok(result.ok);
    assert.equal(result.answer.uuid, 'u');
  });

  const hostile: [string, Parameters<typeof endpoint>[0], string][] = [
    ['never answers', () => ({ body: '', hang: true }), 'timeout'],
    ['redirects', () => ({ status: 301, body: '' }), 'malformed'],
    ['sends no JSON', () => ({ body: 'hello' }), 'malformed'],
    ['sends brackets without end', () => ({ body: '['.repeat(100_000) }), 'limit'],
    ['sends more than 4 MB', () => ({ body: `"${'x'.repeat(5_000_000)}"` }), 'limit'],
  ];
  for (const [title, answer, why] of hostile)
    it(`that ${title} is aborted`, async () => {
      const { target, close } = await endpoint(answer);
      // Only a response that never ends may reach the deadline, however busy the machine is.
      const result = await queryEndpoint(target, true, why === 'timeout' ? 300 : 60_000);
      close();
      assert.deepEqual(result, { ok: false, why });
    });

  it('is not a failure before its first answer, then a source, and has no current figures once it is gone', async () => {
    const stats = JSON.stringify(metricsOf({ in: 5, acked: 5, active: 0 }));
    const { target, close } = await endpoint((path) => ({
      body: path === '/' ? '{}' : path === '/stats' ? stats : '[]',
    }));
    const held = endpointAt(target.port);
    let now = evening + 10;
    const reports = createSelfReports(
      procfs,
      handClock(() => now),
    );
    let kept: StoredReports = {};
    const look = async () => {
      now += 6;
      const seen = await reports.poll(
        [subject(processOf(process.pid), { stats: held })],
        kept,
        { ...rules, http: true },
        now,
      );
      kept = seen.stored;
      return seen.reports.get('id');
    };
    assert.equal(await look(), undefined);
    const report = await until('it answers', look, 30);
    assert.deepEqual([report.source, report.success, report.counts?.acked], ['http', true, 5]);
    close();
    const gone = await until('it is gone', async () => [await look()].find((one) => one?.success === false), 30);
    assert.deepEqual([gone.source, gone.output, gone.counts?.acked], ['http', 'unknown', 5]);
  });

  it('that is frozen does not delay others', async () => {
    const frozen = await endpoint(() => ({ body: '', hang: true }));
    const good = await endpoint((path) => ({ body: path === '/' ? '{}' : stats }));
    const asker = createEndpointPoller(
      handClock(() => 100),
      (target, withInputs) => queryEndpoint(target, withInputs, target === frozen.target ? 300 : 60_000),
    );
    for (let pid = 1; pid <= 50; pid++)
      asker.query({ pid, startTicks: 1 }, pid === 1 ? frozen.target : good.target, false);
    await asker.settled(60_000, true);
    frozen.close();
    good.close();
    for (let pid = 1; pid <= 50; pid++) assert.equal(asker.answer({ pid, startTicks: 1 })?.result.ok, pid !== 1);
  });
});
