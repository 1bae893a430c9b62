#!/usr/bin/env bash
# Makes systemd the first process of this PID namespace, over a copy of this machine's files that nothing outlives.
#   unshare --pid --fork --kill-child --mount --uts --ipc --cgroup boot.sh FOLDER CHECKOUT MODULES
# FOLDER is empty; CHECKOUT and its node_modules are seen at /opt/mcp-fleet, where services of any user may read them.
set -euo pipefail
folder=$1 checkout=$2 modules=$3
mount --make-rprivate /
mount -t tmpfs tmpfs "$folder"
mkdir "$folder"/{files,work,root}
root=$folder/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/files,workdir=$folder/work" "$root"
mkdir -p "$root"/{host,opt/mcp-fleet,tmp,run,dev,proc,sys}

mount --rbind "$checkout" "$root/opt/mcp-fleet"
mkdir -p "$root/opt/mcp-fleet/node_modules"
mount --rbind "$modules" "$root/opt/mcp-fleet/node_modules"

mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mkdir "$root/run/lock"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/var/tmp"

mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root"/dev/{shm,pts}
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"

# The hierarchies of this machine, as this cgroup namespace sees them: version 2, or version 1 with what it offers.
if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
  mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
  for controller in cpu cpuacct memory pids; do
    mkdir "$root/sys/fs/cgroup/$controller"
    mount -t cgroup -o $controller cgroup "$root/sys/fs/cgroup/$controller"
  done
  mkdir "$root"/sys/fs/cgroup/{systemd,unified}
  mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/unified"
fi

# No unit of this machine, and nothing that would touch its kernel.
mount -t tmpfs tmpfs "$root/etc/systemd/system"
for unit in systemd-sysctl systemd-remount-fs systemd-modules-load kmod-static-nodes systemd-udevd systemd-udev-trigger \
  systemd-binfmt systemd-timesyncd systemd-random-seed systemd-hwdb-update modprobe@; do
  ln -s /dev/null "$root/etc/systemd/system/$unit.service"
done
for mount in dev-hugepages dev-mqueue sys-kernel-config sys-kernel-debug sys-kernel-tracing sys-fs-fuse-connections \
  proc-sys-fs-binfmt_misc; do
  ln -s /dev/null "$root/etc/systemd/system/$mount.mount"
done
ln -s /dev/null "$root/etc/systemd/system/proc-sys-fs-binfmt_misc.automount"
: >"$root/etc/machine-id"

cd "$root"
pivot_root . host
umount -l /host
# As on a machine: the manager mounts credentials in a namespace of its own, and they are seen because mounts are shared.
mount --make-rshared /
exec env -i container=mcp-fleet-test PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin \
  /lib/systemd/systemd --system --unit=basic.target
