/**
 * Unit files below a root → the Filebeats that services start, how each is started, and whether it should run: a boot must
 * reach its unit and its conditions must hold. An `[Install]` section alone enables nothing. Only files are read; systemd is not queried.
 */
import type { FileView } from '../../filebeat/files/file-view.js';
import type { Gap } from '../../model/model.js';
import { containDefect } from '../../runtime/defect.js';
import { defectGap } from '../defect-gap.js';
import { otherStarters } from '../launch/other-starters.js';
import { cachedFiles } from './cached-files.js';
import { type Boot, followBoot, type UnitReader } from './unit-boot.js';
import { aliasNames, defaultInstance, readAny, type UnitFiles } from './unit-files/unit-locate.js';
import { indexUnits, serviceNames } from './unit-files/unit-search.js';
import { parseServiceName } from './unit-files/unit-specifiers.js';
import { hostFacts, managerEnvironment } from './unit-host.js';
import { type FilebeatUnit, readUnit, type Search } from './unit-read.js';
import { writersOf } from './unit-writers.js';

export type { FilebeatUnit } from './unit-read.js';

export interface UnitOptions {
  processNames: readonly string[];
  /** Units of running processes: instances of templates among them are read even if nothing links them. */
  running?: readonly string[];
}

/**
 * All Filebeats of a root's services, by name and index. Never throws; what cannot be read is a gap of its unit or of the
 * whole. Sources: systemd.unit(5), systemd.service(5), systemd.exec(5), checked against systemd 252.
 */
export function findUnits(root: FileView, options: UnitOptions): { units: FilebeatUnit[]; gaps: Gap[]; boot: Boot } {
  const files = cachedFiles(root);
  const index = indexUnits(files);
  const unitFiles: UnitFiles = { files, index, aliases: aliasNames(files, index) };
  const known = new Map<string, ReturnType<UnitReader>>();
  const read: UnitReader = (name) => {
    if (!known.has(name)) known.set(name, readAny(name, unitFiles));
    return known.get(name);
  };
  const boot = followBoot(files, index, read);
  const started = [...boot.started.keys()].flatMap((name) => read(name) ?? []);
  const search: Search = {
    ...unitFiles,
    boot,
    processNames: options.processNames,
    parsed: new Map(),
    facts: hostFacts(files),
    managerEnv: managerEnvironment(files),
    writers: writersOf(started, files),
    requested: new Map(),
    gaps: [],
  };
  const units = namesToRead(unitFiles, boot, options.running ?? []).flatMap((name) =>
    containDefect(
      () => readUnit(name, search),
      (position): FilebeatUnit[] => {
        search.gaps.push(defectGap(name, position));
        return [];
      },
    ),
  );
  for (const { name, why, index: at } of units) {
    const by = search.requested.get(name);
    if (by === undefined || at > 0 || (why !== 'static' && why !== 'disabled')) continue;
    search.gaps.push({ reason: 'unclear', subject: name, detail: `${by} may start it: its commands ask systemd to` });
  }
  return { units, gaps: [...index.gaps, ...search.gaps, ...otherStarters(files, options.processNames)], boot };
}

/** Services with a file, started at boot, triggered, or running; a template stands for its default instance. Sorted. */
function namesToRead({ files, index, aliases }: UnitFiles, boot: Boot, running: readonly string[]): string[] {
  const names = new Set<string>();
  for (const name of [...serviceNames(index), ...boot.started.keys(), ...boot.triggered.keys(), ...running]) {
    const parsed = parseServiceName(name);
    if (!parsed || aliases.has(name)) continue;
    const instance = parsed.instance === '' ? defaultInstance(files, index, name) : undefined;
    if (parsed.instance !== '') names.add(name);
    else if (instance !== undefined) names.add(`${parsed.prefix}@${instance}.service`);
  }
  return [...names].sort();
}
