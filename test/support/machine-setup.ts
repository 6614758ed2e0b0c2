/** The shell script that prepares new namespaces for systemd: root, /dev, /proc, /run and control groups. */

/** Units that would change the host or wait for hardware, masked. */
const masked = [
  'apt-daily.timer',
  'console-getty.service',
  'dev-hugepages.mount',
  'dev-mqueue.mount',
  'getty.target',
  'kmod-static-nodes.service',
  'modprobe@.service',
  'proc-sys-fs-binfmt_misc.automount',
  'sys-fs-fuse-connections.mount',
  'sys-kernel-config.mount',
  'sys-kernel-debug.mount',
  'sys-kernel-tracing.mount',
  'systemd-journald-audit.socket',
  'systemd-modules-load.service',
  'systemd-remount-fs.service',
  'systemd-sysctl.service',
  'systemd-tmpfiles-setup-dev.service',
  'systemd-tmpfiles-setup.service',
  'systemd-udev-trigger.service',
  'systemd-udevd-control.socket',
  'systemd-udevd-kernel.socket',
  'systemd-udevd.service',
  'systemd-update-utmp.service',
];

/**
 * `$1`: an empty folder for the mounts, `$2`: name of a new control group for the machine. Runs in new namespaces; the
 * cgroup namespace is created last, so that the new group is its root.
 */
export const enterOwnGroup = `set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1/groups" "$1/upper" "$1/work" "$1/root"
mount -t cgroup2 none "$1/groups"
mkdir "$1/groups/$2"
echo 0 >"$1/groups/$2/cgroup.procs"
umount "$1/groups"
exec unshare --cgroup sh -c "$3" sh "$1"`;

/**
 * The root is this system's, below an overlay for changes: with its programs, without its services.
 * /proc/sys and /sys are read-only, because they belong to the host.
 */
export const becomeMachine = `set -eu
root="$1/root"
mount -t overlay overlay -o lowerdir=/,upperdir="$1/upper",workdir="$1/work" "$root"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for folder in run dev; do mount -t tmpfs -o mode=755 tmpfs "$root/$folder"; done
for folder in tmp var/tmp; do mount -t tmpfs -o mode=1777 tmpfs "$root/$folder"; done
mount -t tmpfs -o mode=755 tmpfs "$root/var/log"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/shm" "$root/dev/pts" "$root/run/lock"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
units="$root/etc/systemd/system"
mkdir -p "$units"
rm -rf "$units"/* "$root/etc/systemd/user"/* "$root"/etc/rc?.d/* "$root/usr/sbin/policy-rc.d"
for unit in ${masked.join(' ')}; do ln -s /dev/null "$units/$unit"; done
# An exporter of this system remembers Filebeats that the machine does not have.
rm -rf "$root/var/lib/filebeat-port-exporter"
: >"$root/etc/fstab"
rm -f "$root/etc/machine-id"
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
cd "$root"
pivot_root . mnt
umount -l /mnt
exec env -i container=lxc PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \\
  /lib/systemd/systemd --unit=multi-user.target --show-status=no --log-target=journal`;

/** Removes the machine's control groups once all its processes have exited. */
export const removeGroup = `set -eu
mount --make-rprivate /
mount -t cgroup2 none "$1"
find "$1/$2" -depth -type d -exec rmdir {} +`;
