#!/bin/sh
# Builds the image of examples/container/Containerfile with podman and runs it: `npm run test:container`, as root, about four minutes.
# Its base image node:22-bookworm-slim is built from a Debian mirror (debootstrap) and this machine's Node.js, so no registry is needed.
# Needs podman, buildah, crun, debootstrap and curl. The container has its own pid namespace, because podman refuses --pid=host without
# control groups, which a nested machine may lack. The test checks that the exporter reports this as a gap (reason "vantage").
set -eu
cd "$(dirname "$0")/.."
if [ "${1-}" != inside ]; then exec unshare --mount scripts/container.sh inside; fi
folder=$(mktemp -d)
export STORAGE_DRIVER=vfs
podman() { command podman --root "$folder/store" --runroot "$folder/run" --cgroup-manager=cgroupfs --runtime=/usr/bin/crun "$@"; }
mount --make-rprivate /
# crun does not support a mixture of cgroup v1 and v2.
umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup
trap 'podman rm --force --time 5 exporter >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT

debootstrap --variant=minbase --include=ca-certificates bookworm "$folder/base" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$folder/log"
modules=$(npm root --global)
install -D "$(readlink -f "$(command -v node)")" "$folder/base/usr/bin/node"
mkdir -p "$folder/base/usr/lib/node_modules"
cp -a "$modules/npm" "$folder/base/usr/lib/node_modules/"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$folder/base/usr/bin/npm"
# The certificate authorities that this machine trusts.
cp /etc/ssl/certs/ca-certificates.crt "$folder/base/etc/ssl/certs/"
tar -C "$folder/base" -c . |
  podman import --change 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' - docker.io/library/node:22-bookworm-slim
rm -rf "$folder/base"

mkdir "$folder/context"
git archive HEAD | tar -C "$folder/context" -x
podman build --isolation=chroot --network=host -f examples/container/Containerfile -t filebeat-port-exporter "$folder/context"
podman run --detach --name exporter --cgroups=disabled --network=host --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 \
  --read-only --cap-drop=ALL --cap-add=SYS_PTRACE --cap-add=DAC_READ_SEARCH -v /:/host:ro,rslave -v exporter:/state \
  filebeat-port-exporter serve --path.rootfs=/host --state.file=/state/state.json --web.listen-address=127.0.0.1:19117

for try in $(seq 60); do curl -sf http://127.0.0.1:19117/-/ready >/dev/null && break || sleep 1; done
metrics=$(curl -sf http://127.0.0.1:19117/metrics)
expect() { echo "$metrics" | grep -qxF "$1" || { podman logs exporter; echo "missing in /metrics: $1"; exit 1; }; }
expect 'filebeat_port_exporter_scan_success 1'
expect 'filebeat_port_exporter_gaps{reason="vantage"} 1'
pid=$(podman inspect --format '{{.State.Pid}}' exporter)
grep -Eq '^Uid:.65534.65534.65534.65534$' "/proc/$pid/status" || { echo 'it does not run as nobody'; exit 1; }
grep -Eq '^CapEff:.0000000000080004$' "/proc/$pid/status" || { echo 'it does not have exactly the two capabilities'; exit 1; }
podman stop --time 10 exporter >/dev/null
[ "$(podman inspect --format '{{.State.ExitCode}}' exporter)" = 0 ] || { echo 'it does not exit with 0'; exit 1; }
echo 'The image is built. It runs as nobody with exactly two capabilities on a read-only root, scans, and exits with 0.'
