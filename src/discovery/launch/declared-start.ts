/** How a command line of the settings starts its Filebeat, through launchers such as `sudo -u beats` or `chroot`. */
import type { FileView } from '../../filebeat/files/file-view.js';
import type { StartUser } from '../../model/model.js';
import { follow } from './follow.js';
import { newLaunchContext } from './new-launch-context.js';
import { isFilebeatProgram } from './programs.js';
import { rootUser } from './users.js';

export interface DeclaredStart {
  /** Without the launchers. */
  argv: readonly string[];
  cwd: string;
  env: Record<string, string>;
  envHidden?: { any: boolean; names: readonly string[] };
  /** The user, where a launcher changes it. */
  user?: StartUser;
  root: string;
  hasOwnNetwork: boolean;
  /** Why it is unknown: a clause for people. */
  unclear?: string;
}

export function declaredStart(
  files: FileView,
  { argv, env }: { argv: readonly string[]; env: Record<string, string> },
  processNames: readonly string[],
): DeclaredStart {
  const plain: DeclaredStart = { argv, cwd: '/', env, root: '/', hasOwnNetwork: false };
  const isFilebeat = (word: string, at: number) => isFilebeatProgram(word, argv[at + 1], processNames);
  if (argv.length === 0 || isFilebeat(argv[0]!, 0)) return plain;
  const world = newLaunchContext(files, processNames);
  const rest = { envIncomplete: false, user: rootUser, root: '/', network: 'host' as const, uncertain: [], depth: 0 };
  follow({ ...rest, argv: [...argv], program: argv[0]!, cwd: '/', env, byShell: true }, world);
  const [start, another] = world.starts;
  if (start !== undefined && another === undefined && start.uncertain.length === 0) {
    const { user, envHidden, root, network } = start;
    const isChanged = user.uid !== rootUser.uid || user.why !== undefined;
    return {
      argv: start.argv,
      cwd: start.cwd,
      env: start.env,
      envHidden,
      ...(isChanged ? { user } : {}),
      root,
      hasOwnNetwork: network === 'own',
    };
  }
  const at = argv.findIndex(isFilebeat);
  const why =
    another === undefined
      ? (start?.uncertain[0] ?? world.unclear[0]?.why ?? 'it starts no program that is known as a Filebeat')
      : 'it starts more than one Filebeat';
  return { ...plain, ...(at < 0 ? {} : { argv: argv.slice(at) }), envHidden: { any: true, names: [] }, unclear: why };
}
