/** Over what real Filebeats did: none that runs with less than its files ask for is green. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { correlate } from '../../src/correlate/correlate.js';
import { emptyScanHistory } from '../../src/correlate/scan-history.js';
import { isCollector } from '../../src/filebeat/config/command.js';
import { serves } from '../../src/filebeat/net/address.js';
import { declaredListeners, expectedOfRunning } from '../../src/model/expected.js';
import { severityOf } from '../../src/model/mismatches.js';
import type { Instance, Socket, Verdict } from '../../src/model/model.js';
import { snapshot as emptySnapshot, hostNetns, instance as madeUp } from '../support/build.js';
import { type CaseRun, casesBelow, homesFor, runsOf, type SocketRow } from '../support/conformance.js';

const corpora = (process.env['TOLD_CORPORA'] ?? '../shared/corpus,../shared/corpus-open').split(',');
const here = corpora.filter((directory) => existsSync(directory));
const skip = here.length > 0 || process.env['CI'] ? false : `no corpus at ${corpora.join(' or ')}`;

/** Seconds since the epoch, in 2096. */
const later = 4_000_000_000;

/** The rows of the kernel's tables that a real Filebeat was seen to hold, as those of our one process. */
function socketsOf({ observed }: CaseRun, { process }: Instance): Socket[] {
  const rows: SocketRow[] = [...(observed.listeners ?? []), ...(observed.tcp ?? [])];
  return rows.map(({ proto, address, port, ephemeral }, at) => ({
    protocol: proto.startsWith('udp') ? 'udp' : 'tcp',
    family: proto.endsWith('6') ? 6 : 4,
    address,
    port: ephemeral ? 40_000 + at : port,
    netns: hostNetns,
    inode: 1000 + at,
    uid: 0,
    receiveQueue: 0,
    drops: 0,
    owners: [{ pid: process!.pid, startTicks: process!.startTicks, comm: 'filebeat' }],
    ownersKnown: true,
  }));
}

/** What the exporter says of a host on which nothing but this Filebeat runs, an hour after its start. */
function judge(run: CaseRun): { instance: Instance; sockets: Socket[]; verdict: Verdict } {
  const { prediction } = run;
  const made = madeUp('case', 4711, []);
  // After every file of the corpus was written.
  const base = { ...made, process: { ...made.process!, startTime: later - 3600 } };
  const expectation = expectedOfRunning(prediction, base.process.startTime, undefined);
  const instance: Instance = { ...base, prediction, ...expectation };
  const sockets = socketsOf(run, instance);
  const snapshot = emptySnapshot([instance], sockets, { takenAt: later });
  const thresholds = { receiveQueueRatio: 0.8, grace: 10, isSingleScan: true };
  return { instance, sockets, verdict: correlate(snapshot, emptyScanHistory, thresholds) };
}

/** Endpoints that the files ask for and no socket serves; the random ones are any. */
function missing({ instance, sockets }: { instance: Instance; sockets: Socket[] }): string[] {
  return declaredListeners(instance.prediction).flatMap(({ protocol, target, address, port }) =>
    target.kind === 'socket' && !sockets.some((s) => s.protocol === protocol && serves(target, s, true) !== 'no')
      ? [`${protocol} ${address}:${port}`]
      : [],
  );
}

/** Complaints that cost no input: a hint, a request to somewhere else. Who gets a socket is the sockets' to tell. */
const harmless = /might lead to data duplication|will lead to data duplication|request failed|address already in use/;

test('no case of the corpus is green in which something asked for is missing', { skip }, () => {
  assert.ok(here.length > 0, 'a build ought to have a corpus');
  let looked = 0;
  const green: string[] = [];
  for (const folder of here.flatMap(casesBelow)) {
    /** What Filebeat complained of → how many of the releases that share the complaint we call green, and how many there are. */
    const complaints = new Map<string, [green: number, all: number]>();
    for (const run of runsOf(folder, homesFor(folder))) {
      if (run.observed.state !== 'running' || !isCollector(run.argv)) continue;
      looked++;
      const judged = judge(run);
      const isGreen = judged.verdict.mismatches.every((m) => severityOf(m) === 'info');
      const lost = isGreen ? missing(judged) : [];
      if (lost.length > 0) green.push(`${folder} ${run.release}: ${lost.join(', ')}`);
      const { error } = run.observed;
      if (!error || harmless.test(error)) continue;
      const [count, all] = complaints.get(error) ?? [0, 0];
      complaints.set(error, [count + Number(isGreen), all + 1]);
    }
    // A complaint is that of one of its releases at least.
    for (const [error, [count, all]] of complaints) if (count === all) green.push(`${folder}: ${error}`);
  }
  assert.ok(looked > 100);
  assert.deepEqual(green, []);
});
