#!/bin/sh
# Builds the image of examples/container/Containerfile with podman and runs it: `npm run test:container`, as root, some four minutes.
# Its base, node:22-bookworm-slim, is made of Debian's mirror (debootstrap) and of this machine's Node.js, so that no registry is needed.
# Needs: podman, buildah, crun, debootstrap, curl. The container's process is its own first one: without control groups, which a machine
# inside of another one may not have, podman refuses --pid=host; that the exporter then says so (reason "vantage") is part of what is checked.
set -eu
cd "$(dirname "$0")/.."
if [ "${1-}" != inside ]; then exec unshare --mount scripts/container.sh inside; fi
folder=$(mktemp -d)
export STORAGE_DRIVER=vfs
podman() { command podman --root "$folder/store" --runroot "$folder/run" --cgroup-manager=cgroupfs --runtime=/usr/bin/crun "$@"; }
mount --make-rprivate /
# Control groups of the first version beside those of the second are more than crun knows.
umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup
trap 'podman rm --force --time 5 exporter >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT

debootstrap --variant=minbase --include=ca-certificates bookworm "$folder/base" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$folder/log"
modules=$(npm root --global)
install -D "$(readlink -f "$(command -v node)")" "$folder/base/usr/bin/node"
mkdir -p "$folder/base/usr/lib/node_modules"
cp -a "$modules/npm" "$folder/base/usr/lib/node_modules/"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$folder/base/usr/bin/npm"
# Whatever authorities this machine trusts.
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
says() { echo "$metrics" | grep -qxF "$1" || { podman logs exporter; echo "it does not say: $1"; exit 1; }; }
says 'filebeat_port_exporter_scan_success 1'
says 'filebeat_port_exporter_gaps{reason="vantage"} 1'
pid=$(podman inspect --format '{{.State.Pid}}' exporter)
grep -Eq '^Uid:.65534.65534.65534.65534$' "/proc/$pid/status" || { echo 'it is another user'; exit 1; }
grep -Eq '^CapEff:.0000000000080004$' "/proc/$pid/status" || { echo 'it has other capabilities'; exit 1; }
podman stop --time 10 exporter >/dev/null
[ "$(podman inspect --format '{{.State.ExitCode}}' exporter)" = 0 ] || { echo 'it does not end with 0'; exit 1; }
echo 'The image is built; it runs as nobody with exactly two capabilities on a read-only root, scans, and ends with 0.'
