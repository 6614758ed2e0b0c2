/** Filebeats that services of systemd and init scripts start, as candidates. */

import { basename } from 'node:path';
import { defectGap } from '../../discovery/defect-gap.js';
import type { Candidate } from '../../discovery/instances/candidate.js';
import { predictInstance } from '../../discovery/instances/predict-instance.js';
import { findInitScripts } from '../../discovery/systemd/sysv.js';
import { type FilebeatUnit, findUnits } from '../../discovery/systemd/units.js';
import type { Command } from '../../filebeat/config/command.js';
import type { FileView } from '../../filebeat/files/file-view.js';
import type { Gap } from '../../model/model.js';
import { containDefect } from '../../runtime/defect.js';
import { dataDirectoryOf, type Origin, type OriginContext, rootOf } from './candidate-origin.js';

/** `running`: units to read besides those that are enabled. Includes services that should not run. */
export function fromUnits(
  { rootfs, fileCache }: OriginContext,
  processNames: readonly string[],
  running: readonly string[],
): { origins: Origin[]; gaps: Gap[] } {
  const search = (files: FileView) => {
    const options = { processNames, running };
    const native = findUnits(files, options);
    const names = native.units.map((unit) => unit.name);
    const scripts = findInitScripts(files, options, names);
    return { units: [...native.units, ...scripts.units], gaps: [...native.gaps, ...scripts.gaps] };
  };
  const isCheckedRarely = ({ units }: ReturnType<typeof search>, path: string) => isUnrelated(units, path);
  const found = containDefect(
    () => fileCache.read('units', [processNames, running], rootfs, search, { isCheckedRarely }),
    (place) => ({ units: [], gaps: [defectGap('unit files', place)] }),
  );
  return { origins: found.units.map((unit) => fromUnit(unit, { rootfs, fileCache })), gaps: found.gaps };
}

function fromUnit(unit: FilebeatUnit, { rootfs, fileCache }: Pick<OriginContext, 'rootfs' | 'fileCache'>): Origin {
  const { root, rootDir } = rootOf(unit.root, rootfs);
  const { argv, cwd, env, envHidden, user, hidden, runsAs } = unit;
  const { uid } = user;
  const command: Command = { argv, cwd, env, envHidden, uid: uid ?? 0 };
  const predicted = predictInstance(fileCache, `unit ${unit.name} ${unit.index}`, command, rootDir, { hidden, runsAs });
  const { prediction, pathData, config, start, owners, denied = [] } = predicted;
  const failures = [...unit.failures, ...denied];
  // Without `User=` the owner of its data is the user that it ran as.
  const users = uid !== undefined ? [uid] : owners.data?.uid ? [owners.data.uid, 0] : undefined;
  return {
    origin: 'systemd',
    root,
    network: unit.ownNetwork ? `unit ${unit.name}` : 'host',
    mainFiles: prediction.mainFiles ?? [],
    ...(pathData === undefined ? {} : { pathData }),
    config,
    users,
    ...(users === undefined ? {} : { owner: users[0]! }),
    ...dataDirectoryOf(owners),
    unit: unit.name,
    unitAliases: unit.aliases,
    shouldRun: unit.shouldRun,
    ...(failures.length === 0 ? {} : { failures }),
    ...unitOff(unit),
    prediction,
    start,
    gaps: unit.gaps,
  };
}

/** Why no boot starts it, where files tell. */
function unitOff({ why, condition }: FilebeatUnit): Pick<Candidate, 'unitOff'> {
  if (why === 'enabled' || why === 'unclear') return {};
  return { unitOff: { why, ...(condition === undefined ? {} : { condition }) } };
}

/** Programs, init scripts and unit files. */
const UNIT_SOURCE =
  /^\/usr\/(?:s?bin|lib|libexec)\/.|^\/etc\/(?:rc\.d\/)?(?:init|rc\d)\.d\/.|\/systemd\/.+\.(?:service|conf|target|timer|socket|path|mount|slice)$/;

/**
 * Whether a file that the search read has nothing to do with a Filebeat, as most have. A file that is added, renamed or
 * linked changes its directory, which every scan checks; only an edit in place is noticed later, and systemd itself does
 * not read such an edit before a reload.
 */
function isUnrelated(units: readonly FilebeatUnit[], path: string): boolean {
  if (!UNIT_SOURCE.test(path) || /filebeat/i.test(path)) return false;
  const name = basename(path);
  return !units.some(({ fragment, dropIns }) => [fragment, ...dropIns].some((file) => basename(file) === name));
}
