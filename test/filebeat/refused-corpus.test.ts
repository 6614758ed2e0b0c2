/** Results of real Filebeats: none that lacks a configured listener is green. */
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

/** The rows of the kernel's tables that a real Filebeat had, given to the one process of this test. */
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

/** The exporter's report on a host with only this Filebeat, an hour after its start. */
function judge(run: CaseRun): { instance: Instance; sockets: Socket[]; verdict: Verdict } {
  const { prediction } = run;
  const made = madeUp('case', 4711, []);
  // After the mtime of every file of the corpus.
  const base = { ...made, process: { ...made.process!, startTime: later - 3600 } };
  const expectation = expectedOfRunning(prediction, base.process.startTime, undefined);
  const instance: Instance = { ...base, prediction, ...expectation };
  const sockets = socketsOf(run, instance);
  const snapshot = emptySnapshot([instance], sockets, { takenAt: later });
  const thresholds = { receiveQueueRatio: 0.8, grace: 10, isSingleScan: true };
  return { instance, sockets, verdict: correlate(snapshot, emptyScanHistory, thresholds) };
}

/** Configured endpoints that no socket serves; any socket serves a random port. */
function missing({ instance, sockets }: { instance: Instance; sockets: Socket[] }): string[] {
  return declaredListeners(instance.prediction).flatMap(({ protocol, target, address, port }) =>
    target.kind === 'socket' && !sockets.some((s) => s.protocol === protocol && serves(target, s, true) !== 'no')
      ? [`${protocol} ${address}:${port}`]
      : [],
  );
}

/** Log messages that concern no listener: a hint, or a failed request to another service. */
const harmless = /might lead to data duplication|will lead to data duplication|request failed|address already in use/;

test('no case of the corpus is green while a configured listener is missing', { skip }, () => {
  assert.ok(here.length > 0, 'a build ought to have a corpus');
  let looked = 0;
  const green: string[] = [];
  for (const folder of here.flatMap(casesBelow)) {
    /**
     * What Filebeat complained of → how many of the releases that share the complaint we call green, and how many
     * there are.
     */
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
    // At least one of its releases logs the complaint.
    for (const [error, [count, all]] of complaints) if (count === all) green.push(`${folder}: ${error}`);
  }
  assert.ok(looked > 100);
  assert.deepEqual(green, []);
});
