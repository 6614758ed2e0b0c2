/** `explain --json`, field by field. An unknown value is null, never omitted. Pure. */
import type { Collision, Comparison, ExplainedListener, Explanation, Subject } from '../../explain/explained.js';
import { isBlocked } from '../../explain/explanation.js';
import {
  answerText,
  collisionText,
  faultRemedy,
  faultText,
  raceText,
  releaseText,
  tableOf,
  whyText,
} from '../../explain/sentences.js';
import type { Fault, Gap, Listener, Prediction, Release } from '../../model/model.js';
import { positionText } from '../../words/locations.js';
import { gapJson } from './gap-json.js';

const subjectJson = ({ name, pid, config, remarks }: Subject) => ({
  name: name ?? null,
  pid: pid ?? null,
  config,
  remarks,
});

const faultJson = (fault: Fault) => ({
  code: fault.code,
  subject: fault.subject ?? null,
  text: faultText(fault),
  cure: faultRemedy(fault) ?? null,
  at: positionText(fault.at) || null,
});

const releaseJson = (release: Release) => ({
  version: release.version ?? null,
  source: release.source,
  text: releaseText(release),
});

function predictionJson({ outcome, reason, release, filesetFallback }: Prediction) {
  return {
    outcome,
    reason: reason === undefined ? null : faultJson(reason),
    release: releaseJson(release),
    filesets_from_table: filesetFallback ?? false,
  };
}

/** The expected row in the kernel's socket tables. */
function socketJson({ protocol, target }: Listener) {
  if (target.kind === 'name') return { table: null, address: null, port: target.port, shared: false };
  if (target.kind !== 'socket' && target.kind !== 'random') return null;
  return {
    table: tableOf(protocol, target),
    address: target.address,
    port: target.kind === 'random' ? null : target.port,
    shared: target.reuse ?? false,
  };
}

function claimJson(listener: Listener) {
  return {
    protocol: listener.protocol,
    address: listener.address,
    port: listener.port ?? null,
    input: listener.input,
    declared_in: positionText(listener.declaredIn),
    socket: socketJson(listener),
  };
}

function collisionJson(collision: Collision) {
  const { bound, instance, declaredIn } = collision;
  return {
    text: collisionText(collision),
    bound:
      bound === undefined
        ? null
        : {
            address: bound.address,
            port: bound.port,
            pid: bound.owner?.pid ?? null,
            process: bound.owner?.comm ?? null,
            uid: bound.uid,
          },
    instance: instance ?? null,
    declared_in: positionText(declaredIn) || null,
  };
}

function listenerJson({ listener, status, ifTaken, races, collisions, onHost }: ExplainedListener) {
  const { reload } = listener;
  return {
    ...claimJson(listener),
    status,
    why: whyText(listener) ?? null,
    if_taken: ifTaken ?? null,
    reload:
      reload === undefined ? null : { period_seconds: reload.periodSeconds, loses_port: reload.losesPort ?? false },
    read_buffer_bytes: listener.readBuffer ?? null,
    slow_start: listener.slowStart ?? false,
    notes: listener.notes ?? [],
    conflicts: races.map((race) => ({
      input: race.input,
      declared_in: positionText(race.declaredIn),
      over: race.over,
      first: race.winner,
      text: raceText(race),
    })),
    address_on_host: onHost ?? null,
    collisions: collisions === undefined ? null : collisions.map(collisionJson),
  };
}

function explanationJson(one: Explanation) {
  const { subject, prediction, listeners } = one;
  const { paths, files, faults, gaps } = prediction;
  return {
    ...subjectJson(subject),
    ...predictionJson(prediction),
    paths: { home: paths.home, config: paths.config, data: paths.data, logs: paths.logs },
    files: files.map((file) => ({
      path: file.path,
      role: file.role,
      modified: file.mtime ?? null,
      reloaded: file.reloaded,
    })),
    faults: faults.map(faultJson),
    doubts: (prediction.doubts ?? []).map(faultJson),
    by_release: (one.byRelease ?? []).map(({ from, to, prediction: made }) => ({
      from,
      to,
      outcome: made.outcome,
      reason: made.reason === undefined ? null : faultJson(made.reason),
      faults: made.faults.map(faultJson),
      listeners: made.listeners.map(claimJson),
    })),
    gaps: gaps.map(gapJson),
    blocked_on_host: isBlocked(one),
    data_shared_with: one.dataSharedWith ?? null,
    listeners: listeners.map(listenerJson),
  };
}

function comparisonJson(one: Comparison) {
  return {
    ...subjectJson(one.subject),
    answer: one.answer,
    text: answerText(one),
    before: predictionJson(one.before),
    after: one.after === undefined ? null : predictionJson(one.after),
    lost: one.lost.map(claimJson),
    gained: one.gained.map(claimJson),
    moved: one.moved.map(({ from, to }) => ({ from: claimJson(from), to: claimJson(to) })),
    in_conflict: one.clashing.map(claimJson),
    kept: one.unchanged,
    new_faults: one.newFaults.map(faultJson),
    gone_faults: one.goneFaults.map(faultJson),
  };
}

/** `gaps`: of the host as a whole. Times are seconds since the epoch. */
export function explainDocument(all: readonly Explanation[], gaps: readonly Gap[], version: string) {
  return { version, filebeats: all.map(explanationJson), gaps: gaps.map(gapJson) };
}

/** `release`: the one compared with, e.g. `9.6.0`. */
export function compareDocument(all: readonly Comparison[], gaps: readonly Gap[], release: string, version: string) {
  return { version, compared_release: release, comparisons: all.map(comparisonJson), gaps: gaps.map(gapJson) };
}
