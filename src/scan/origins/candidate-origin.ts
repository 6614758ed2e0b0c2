/** What the files of this folder share: one reason to know of a Filebeat, with the prediction of what it would open. */
import { posix } from 'node:path';
import type { Candidate } from '../../discovery/instances/candidate.js';
import { type Budget, canonical, type FileOwners, type Start } from '../../discovery/instances/predict-instance.js';
import { createShares, limits, sharesOf } from '../../model/limits.js';
import type { Gap, Prediction } from '../../model/model.js';
import type { FileCache } from '../../proc/files/file-cache.js';
import { openFileView } from '../../proc/files/root-files.js';
import { identify } from '../../proc/files/root-identity.js';

/** Remembered candidates have neither prediction nor start. */
export interface Origin extends Candidate {
  prediction?: Prediction;
  start?: Start;
  gaps?: Gap[];
}

export interface OriginContext {
  /** The directory of the host's files. */
  rootfs: string;
  fileCache: FileCache;
  budgets: Budgets;
}

/** Limits the work for all predictions of one user in one scan. Account 0, the system, is limited per prediction only. */
export type Budgets = (account: number) => Budget;

export function createBudgets(): Budgets {
  const shares = createShares(limits.passWork);
  const { one } = sharesOf(limits.passWork);
  return (account) =>
    account === 0
      ? { each: limits.predictionWork, left: () => limits.predictionWork, use: () => undefined }
      : {
          each: one,
          left: () => shares.room(account),
          use: (units) => void shares.take(account, units),
        };
}

/** Identity and host directory of a root that a start names; the identity equals that of a process with this root. */
export function rootOf(inner: string, rootfs: string): { root: string; rootDir: string } {
  if (inner === '/') return { root: '/', rootDir: rootfs };
  const path = canonical(openFileView(rootfs), inner);
  const rootDir = posix.join(rootfs, path);
  const root = identify(rootfs, path) ?? `root ${inner}`;
  return root === identify(rootfs) ? { root: '/', rootDir: rootfs } : { root, rootDir };
}

export function dataDirectoryOf({ data }: FileOwners): Pick<Candidate, 'dataDirectory'> {
  return data?.id === undefined ? {} : { dataDirectory: { id: data.id, owner: data.uid } };
}

/** Directories in which every user may create the data path before its owner does. */
const WORLD_WRITABLE = /^\/(?:tmp|var\/tmp|dev\/shm|run\/lock|var\/lock|var\/crash)\//;

/** Users that may run a Filebeat for which none is named: root, and the owners of its configuration and data. */
export function usersByOwners({ main, data }: FileOwners, pathData: string | undefined): number[] {
  const owned = pathData !== undefined && WORLD_WRITABLE.test(pathData) ? main : [...main, data];
  return [...new Set([0, ...owned.flatMap((stat) => stat?.uid ?? [])])];
}
