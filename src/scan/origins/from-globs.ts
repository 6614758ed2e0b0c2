/** Main files that the patterns of `discovery.config_globs` match, as candidates. */

import { dirname } from 'node:path';
import { defectGap } from '../../discovery/defect-gap.js';
import { canonical, type FileOwners, predictInstance } from '../../discovery/instances/predict-instance.js';
import type { FileView } from '../../filebeat/files/file-view.js';
import { goGlob } from '../../filebeat/files/glob.js';
import { limits } from '../../model/limits.js';
import type { Gap } from '../../model/model.js';
import { readerOfAccount } from '../../proc/permissions.js';
import { containDefect } from '../../runtime/defect.js';
import { type Origin, type OriginContext, usersByOwners } from './candidate-origin.js';

interface MainFile {
  path: string;
  canonical: string;
  uid: number;
}

export function fromGlobs(patterns: readonly string[], context: OriginContext): { origins: Origin[]; gaps: Gap[] } {
  const found = patterns.map((pattern) =>
    containDefect(
      () => context.fileCache.read(`glob ${pattern}`, pattern, context.rootfs, (files) => findFiles(pattern, files)),
      (place) => ({ files: [], gaps: [defectGap(pattern, place)] }),
    ),
  );
  return {
    origins: found.flatMap(({ files }) => files.map((file) => fromFile(file, context))),
    gaps: found.flatMap(({ gaps }) => gaps),
  };
}

function findFiles(pattern: string, files: FileView): { files: MainFile[]; gaps: Gap[] } {
  const matched = goGlob(pattern, files, limits.globMatches);
  if (!matched.ok)
    return { files: [], gaps: [{ reason: 'malformed', subject: pattern, detail: 'not a usable pattern' }] };
  const found = matched.paths.flatMap((path) => {
    const stat = files.stat(path);
    if (!stat.ok || stat.value.kind !== 'file') return [];
    return [{ path, canonical: canonical(files, path), uid: stat.value.uid }];
  });
  return { files: found, gaps: matched.gaps };
}

/** How it is started is unknown: as the packages of Elastic do it. */
function fromFile({ path, canonical: mainFile, uid }: MainFile, { rootfs, fileCache, budgets }: OriginContext): Origin {
  const home = '/usr/share/filebeat';
  const argv = [`${home}/bin/filebeat`, '-c', path, '--path.home', home, '--path.config', dirname(path)];
  const command = { argv, cwd: '/', env: {}, uid: 0 };
  const options = { budget: budgets(uid), reader: readerOfAccount(uid) };
  const predicted = predictInstance(fileCache, `glob ${path}`, command, rootfs, options);
  const { prediction, pathData, start, owners } = predicted;
  return {
    origin: 'config_glob',
    root: '/',
    network: 'host',
    mainFiles: [mainFile],
    config: path,
    users: usersByOwners(owners, pathData),
    prediction,
    start,
    ...accountOf(owners),
  };
}

/** The ordinary user who owns one of its main files. */
function accountOf({ main }: FileOwners): { account?: number } {
  const uid = main.find((stat) => stat !== undefined && stat.uid !== 0)?.uid;
  return uid === undefined ? {} : { account: uid };
}
