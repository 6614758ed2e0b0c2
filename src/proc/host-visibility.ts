/**
 * Whether the exporter sees the host's processes and files. In a container without the host's pid namespace, with a root mounted
 * elsewhere or with a private `/tmp`, a host would look as if nothing ran on it.
 */
import type { Gap } from '../model/model.js';
import { steadyMs } from '../runtime/clock.js';
import { identify } from './files/root-identity.js';
import { veil } from './files/root-walk.js';
import { differingMounts } from './mounts.js';
import type { ProcFs } from './proc-fs.js';

export interface HostVisibility {
  /** False: this `/proc` does not show the host's processes. */
  seesHost: boolean;
  gaps: Gap[];
}

/** Mount points of `PrivateTmp=`, `ProtectHome=` and `TemporaryFileSystem=` of the exporter’s unit. */
const SANDBOXED = /^\/(?:tmp|var\/tmp|home|root|run\/user)(?:\/|$)/;

const KEPT_MS = 60_000;
/** For `--path.unchecked` and directories of fixtures. */
export const assumeVisible = (): HostVisibility => ({ seesHost: true, gaps: [] });

const blind = (subject: string, detail: string): HostVisibility => ({
  seesHost: false,
  gaps: [{ reason: 'vantage', subject, detail }],
});

/**
 * The directory of the host's files: the root of process 1 where the exporter has mounts of its own (`PrivateTmp=`,
 * `ProtectHome=`) and may read it; otherwise `rootfs`.
 */
export function hostRoot(procfs: ProcFs, rootfs: string): string {
  if (rootfs !== '/' || !procfs.real) return rootfs;
  const [host, own] = [procfs.link('1/ns/mnt'), procfs.link('self/ns/mnt')];
  if (!host.ok || !own.ok || host.value === own.value) return rootfs;
  return procfs.stat('1/root/.').ok ? `${procfs.root}/1/root` : rootfs;
}

/** Checks once a minute. A `/proc` of plain files is not checked. */
export function createVisibilityCheck(procfs: ProcFs, rootfs: string): () => HostVisibility {
  let last: { at: number; visibility: HostVisibility } | undefined;
  return () => {
    if (!procfs.real) return assumeVisible();
    if (last === undefined || steadyMs() - last.at > KEPT_MS)
      last = { at: steadyMs(), visibility: check(procfs, rootfs) };
    return last.visibility;
  };
}

function check(procfs: ProcFs, rootfs: string): HostVisibility {
  const self = procfs.link('self');
  if (!self.ok || self.value === '1')
    return blind(
      '/proc',
      'shows the exporter’s own container, not the host: run it in the host’s pid namespace (docker: --pid=host, Kubernetes: hostPID: true)',
    );
  const init = procfs.stat('1/root/.');
  const root = identify(rootfs);
  if (init.ok && root !== undefined && `${init.value.dev}:${init.value.ino}` !== root)
    return blind(
      '/proc',
      `process 1 in it has another root than ${rootfs}: run the exporter in the host’s pid namespace (--pid=host, hostPID: true), or name both with --path.procfs and --path.rootfs`,
    );
  const name = procfs.piece('1/comm');
  if (name.ok && !/^(systemd|init)\s*$/.test(name.value) && isBooted(rootfs))
    return blind(
      '/proc',
      'process 1 in it is not the systemd that runs this root: run the exporter in the host’s pid namespace (--pid=host, hostPID: true)',
    );
  return { seesHost: true, gaps: rootfs === '/' ? hiddenDirectories(procfs, rootfs) : [] };
}

/** As in sd_booted(3). */
function isBooted(rootfs: string): boolean {
  return identify(rootfs === '/' ? '' : rootfs, '/run/systemd/system') !== undefined;
}

/** Directories that the exporter's own mounts hide, where it may not read the root of process 1. */
function hiddenDirectories(procfs: ProcFs, rootfs: string): Gap[] {
  const [host, own] = [procfs.text('1/mountinfo'), procfs.text('self/mountinfo')];
  if (!host.ok || !own.ok) return [];
  const points = differingMounts(own.value, host.value).filter((point) => SANDBOXED.test(point));
  veil(rootfs, points);
  return points.map((point) => ({
    reason: 'vantage',
    subject: point,
    detail:
      'is not the host’s: the exporter has a mount of its own there (PrivateTmp=, ProtectHome= …) and may not look past it; CAP_SYS_PTRACE helps',
  }));
}
