/** Instances that the exporter's settings declare, as candidates. */
import { predictInstance } from '../../discovery/instances/predict-instance.js';
import { declaredStart } from '../../discovery/launch/declared-start.js';
import { lookUpUser } from '../../discovery/launch/users.js';
import type { FileView } from '../../filebeat/files/file-view.js';
import type { Gap, StartUser } from '../../model/model.js';
import { containDefect } from '../../runtime/defect.js';
import type { DeclaredInstance } from '../../settings/settings.js';
import { dataDirectoryOf, type Origin, type OriginContext, rootOf, usersByOwners } from './candidate-origin.js';

export function fromDeclared(
  declared: DeclaredInstance,
  context: OriginContext,
  processNames: readonly string[],
): Origin {
  const { name, argv, env } = declared;
  const { rootfs, fileCache } = context;
  const launch = fileCache.read(`launch ${name}`, [argv, env, processNames], rootfs, (files) =>
    containDefect(
      () => declaredStart(files, { argv, env }, processNames),
      () => ({ argv, cwd: '/', env, root: '/', hasOwnNetwork: false }),
    ),
  );
  const user = userOf(declared, launch.user, context);
  const { envHidden } = launch;
  const { root, rootDir } = rootOf(launch.root, rootfs);
  const command = {
    argv: launch.argv,
    cwd: launch.cwd,
    env: launch.env,
    ...(envHidden === undefined ? {} : { envHidden }),
    uid: user?.uid ?? 0,
  };
  const predicted = predictInstance(fileCache, `declared ${name}`, command, rootDir);
  const { prediction, pathData, config, start, owners } = predicted;
  const users = user === undefined ? usersByOwners(owners, pathData) : user.uid === undefined ? undefined : [user.uid];
  // The home of a bare `filebeat` is the directory that it is started in, which is unknown; so is its data path.
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
    ...(isGuess ? {} : dataDirectoryOf(owners)),
    declaredName: name,
    prediction,
    start,
    ...(launch.unclear === undefined ? {} : { gaps: [unclearGap(name, launch.unclear)] }),
  };
}

/** The user that the settings name, else the one that the command line switches to; undefined where neither names one. */
function userOf(
  { name, user }: DeclaredInstance,
  launched: StartUser | undefined,
  { rootfs, fileCache }: OriginContext,
): { uid?: number } | undefined {
  if (user === undefined) return launched;
  const uid = containDefect(
    () => fileCache.read(`uid declared ${name}`, user, rootfs, (files) => uidOf(user, files)),
    () => undefined,
  );
  return uid === undefined ? {} : { uid };
}

/** Undefined where /etc/passwd does not have the name. */
function uidOf(user: string, files: FileView): number | undefined {
  if (/^\d+$/.test(user)) return Number(user);
  const account = lookUpUser(files, user);
  return typeof account !== 'string' && Number.isInteger(account.uid) ? account.uid : undefined;
}

function unclearGap(name: string, why: string): Gap {
  return { reason: 'unclear', subject: `instance “${name}” of the settings`, detail: `how it is started: ${why}` };
}
