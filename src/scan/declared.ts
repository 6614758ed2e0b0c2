/** Instances that the settings declare, as candidates: see `origins.ts`. */
import { predictInstance } from '../discovery/instances/predict-instance.js';
import { declaredStart } from '../discovery/launch/declared-start.js';
import type { Gap, StartUser } from '../model/model.js';
import type { FileCache } from '../proc/file-cache.js';
import { containDefect } from '../runtime/defect.js';
import type { DeclaredInstance } from '../settings/settings.js';
import { dataDirectoryOf, type Origin, rootOf, uidOf, usersByOwners } from './origins.js';

export interface DeclaredOptions {
  rootfs: string;
  fileCache: FileCache;
  processNames: readonly string[];
}

export function fromDeclared(declared: readonly DeclaredInstance[], options: DeclaredOptions): Origin[] {
  return declared.map((one) => fromOne(one, options));
}

function fromOne(one: DeclaredInstance, { rootfs, fileCache: kept, processNames }: DeclaredOptions): Origin {
  const { name, argv, env } = one;
  const launch = kept.read(`launch ${name}`, [argv, env, processNames], rootfs, (files) =>
    containDefect(
      () => declaredStart(files, { argv, env }, processNames),
      () => ({ argv, cwd: '/', env, root: '/', hasOwnNetwork: false }),
    ),
  );
  const user = userOf(one, launch.user, rootfs, kept);
  const { envHidden } = launch;
  const { root, rootDir } = rootOf(launch.root, rootfs);
  const command = {
    argv: launch.argv,
    cwd: launch.cwd,
    env: launch.env,
    ...(envHidden === undefined ? {} : { envHidden }),
    uid: user?.uid ?? 0,
  };
  const { prediction, pathData, config, start, places } = predictInstance(kept, `declared ${name}`, command, rootDir);
  const users = user === undefined ? usersByOwners(places, pathData) : user.uid === undefined ? undefined : [user.uid];
  // Of a bare `filebeat` the home is wherever it is started: what would follow from that is not known.
  const isBare = !command.argv[0]?.includes('/');
  const isGuess = isBare && prediction.paths.home === '/' && prediction.paths.data === '/data';
  return {
    origin: 'declared',
    root,
    network: launch.hasOwnNetwork ? `netns of ${name}` : 'host',
    mainFiles: prediction.mainFiles ?? [],
    ...(isGuess || pathData === undefined ? {} : { pathData }),
    config,
    users,
    ...(user?.uid === undefined ? {} : { owner: user.uid }),
    ...(isGuess ? {} : dataDirectoryOf(places)),
    declaredName: name,
    prediction,
    start,
    ...(launch.unclear === undefined ? {} : { gaps: [unclearGap(name, launch.unclear)] }),
  };
}

/** Whom the settings name, else whom the command line makes of it; undefined: nobody is named. */
function userOf(
  { name, user }: DeclaredInstance,
  launched: StartUser | undefined,
  rootfs: string,
  kept: FileCache,
): { uid?: number } | undefined {
  if (user === undefined) return launched;
  const uid = containDefect(
    () => kept.read(`uid declared ${name}`, user, rootfs, (files) => uidOf(user, files)),
    () => undefined,
  );
  return uid === undefined ? {} : { uid };
}

function unclearGap(name: string, why: string): Gap {
  return { reason: 'unclear', subject: `instance “${name}” of the settings`, detail: `how it is started: ${why}` };
}
