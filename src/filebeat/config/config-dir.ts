/** `filebeat.config_dir` of releases before 7.0. */
import { limits } from '../../model/limits.js';
import type { Fault } from '../../model/model.js';
import { cleanPath, goGlob } from '../files/glob.js';
import { type Loader, loadFile } from '../files/load.js';
import type { InputContext } from '../inputs/input-context.js';
import { applies } from '../releases/releases.js';
import { getAs, readAs, toList, toText } from '../tree/read.js';
import type { Tree } from '../tree/tree.js';
import { entriesOf } from './external.js';

/**
 * A file, or the `*.yml` of a directory, each with a `filebeat` section. Its inputs are added to those of the main
 * file. `fatal` ends the process.
 */
export function configDir(filebeat: Tree, context: InputContext, loader: Loader): { fatal?: Fault; inputs: Tree[] } {
  const { scope, release } = context;
  const setting = getAs(filebeat, 'config_dir', scope, toText);
  if (!setting.ok) return setting.unresolved ? { inputs: [] } : { fatal: setting.fault, inputs: [] };
  if (!setting.value) return { inputs: [] };
  const path = cleanPath(setting.value.startsWith('/') ? setting.value : `${context.paths.config}/${setting.value}`);
  const stat = loader.files.stat(path);
  if (!stat.ok && stat.gap.reason === 'missing')
    return { fatal: { code: 'file-missing', subject: path, at: { file: path } }, inputs: [] };
  let paths = [path];
  if (stat.ok && stat.value.kind === 'directory') {
    const globbed = goGlob(`${path}/*.yml`, loader.files, limits.configEntries);
    if (!globbed.ok) return { fatal: globbed.fault, inputs: [] };
    loader.gaps.push(...globbed.gaps);
    paths = globbed.paths;
  }
  const keys = applies('prospectors-removed', release) ? ['inputs'] : ['prospectors', 'inputs'];
  const inputs: Tree[] = [];
  for (const file of paths) {
    const loaded = loadFile(file, 'inputs', false, loader);
    if (loaded.kind === 'fault') return { fatal: loaded.fault, inputs };
    if (loaded.kind === 'unseen') continue;
    for (const key of keys) {
      const entries = entriesOf(readAs(loaded.tree, `filebeat.${key}`, scope, toList), scope);
      if (!entries.ok) return { fatal: entries.fault, inputs };
      inputs.push(...entries.value);
    }
  }
  return { inputs };
}
