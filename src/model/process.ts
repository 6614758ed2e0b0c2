/** Processes, and the owners of sockets. */

/** A pid can be reused; pid and start time together identify a process. */
export interface ProcessId {
  pid: number;
  /** Field 22 of `/proc/<pid>/stat`: clock ticks after boot. */
  startTicks: number;
}

/** `stopped`: state T. `cgroup`: its control group is frozen. `traced`: state t. `uninterruptible`: all threads in state D. */
export type Halt = 'stopped' | 'cgroup' | 'traced' | 'uninterruptible';

/** The engine of a container, where the control group names it. `cri`: containerd or CRI-O for Kubernetes; `crictl` reaches both. */
export type ContainerEngine = 'docker' | 'podman' | 'nerdctl' | 'cri';

/** A container as its engine knows it. */
export interface Container {
  /** The first 12 hex digits, or the name of a machine. */
  id: string;
  /** Absent where nothing names it. */
  engine?: ContainerEngine;
  /** From the engine's files. */
  name?: string;
  /** For an engine of an ordinary user. */
  uid?: number;
}

/** Facts of a running Filebeat, all of them from `/proc/<pid>`. Absent fields could not be seen (see the snapshot's gaps). */
export interface FilebeatProcess extends ProcessId {
  /** Seconds since the epoch. */
  startTime: number;
  /** Clocks contradict each other: it started then at the latest. */
  startUnsure?: true;
  /** It exists and makes no progress. */
  halt?: Halt;
  /** `/proc/<pid>/comm`, at most 15 bytes. */
  comm: string;
  /** Effective uid. */
  uid: number;
  /** Link target of `/proc/<pid>/exe` without ` (deleted)`. */
  executable?: string;
  /** The file behind `exe` was replaced or removed after the start. */
  executableDeleted: boolean;
  cwd?: string;
  /** Network namespace: inode of `/proc/<pid>/ns/net`. */
  netns?: number;
  /** True when its network namespace is the exporter's own host namespace (that of pid 1, else ours). */
  hostNetns?: boolean;
  /** systemd unit from `/proc/<pid>/cgroup`, e.g. `filebeat@core.service`. */
  unit?: string;
  /** Unit of a user's own systemd: of no account to units of the system. */
  userUnit?: { uid: number; unit: string };
  /** Container id (12 hex) or machine name from `/proc/<pid>/cgroup`. */
  container?: string;
  /** Absent where the control group does not name it. */
  engine?: ContainerEngine;
  /** Who started it, or has adopted it; absent for pid 1. */
  parent?: { pid: number; comm: string };
  /** CapEff of `/proc/<pid>/status` holds CAP_NET_BIND_SERVICE. */
  canBindPrivileged?: boolean;
  cpuSeconds?: number;
  residentBytes?: number;
  openFds?: number;
  maxFds?: number;
}

/** A process that holds a descriptor on a socket. */
export interface Owner extends ProcessId {
  comm: string;
}
