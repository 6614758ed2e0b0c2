/** Programs with a Filebeat among their arguments that they do not start on this host. */

const set = (words: string) => new Set(words.trim().split(/\s+/));

/** They never start a Filebeat. */
export const harmlessPrograms = set(`
sleep tail head cat grep egrep fgrep pgrep pidof pkill killall kill ps ls find stat test [ touch rm cp mv ln
mkdir chown chmod chgrp install rsync scp curl wget tar gzip logger echo printf sed awk mawk gawk cut tr sort
wc tee diff cmp systemctl service journalctl loginctl systemd-notify sdnotify systemd-tmpfiles systemd-analyze
invoke-rc.d update-rc.d chkconfig logrotate getent id useradd groupadd usermod setfacl getfacl ansible-
playbook ansible puppet chef-client salt-call git apt-get apt dpkg dpkg-query yum dnf rpm iptables nft setcap
getcap readlink realpath basename dirname which xargs supervisorctl sv s6-svc monit node_exporter beat-
exporter true false date hostname mail sendmail openssl md5sum sha256sum ss netstat lsof fuser lsattr chattr
restorecon semanage sysctl modprobe mount umount mktemp jq yq nproc uname expr
`);

/** They start a Filebeat inside a container. */
export const containerEngines = set(`
docker docker-compose podman podman-compose nerdctl ctr crictl kubectl k3s nomad lxc lxc-start lxc-attach
systemd-nspawn machinectl runc crun apptainer singularity
`);

/** Supervisors, and the files and directories that name what they start. */
export const supervisors: Record<string, readonly string[]> = {
  supervisord: [
    '/etc/supervisor/conf.d',
    '/etc/supervisor/supervisord.conf',
    '/etc/supervisord.conf',
    '/etc/supervisord.d',
  ],
  runsvdir: ['/etc/service', '/service', '/var/service', '/etc/runit/runsvdir/default', '/etc/sv'],
  runsv: [],
  svscan: ['/service', '/etc/service', '/var/service'],
  svscanboot: ['/service', '/etc/service'],
  supervise: [],
  's6-svscan': ['/service', '/run/service', '/etc/s6', '/var/service'],
  's6-supervise': [],
  monit: ['/etc/monit/monitrc', '/etc/monitrc', '/etc/monit/conf.d', '/etc/monit.d', '/etc/monit/conf-enabled'],
  cron: ['/etc/crontab', '/etc/cron.d', '/var/spool/cron/crontabs', '/var/spool/cron'],
  crond: ['/etc/crontab', '/etc/cron.d', '/var/spool/cron/crontabs', '/var/spool/cron'],
  anacron: ['/etc/anacrontab'],
  circusd: ['/etc/circus', '/etc/circus.ini'],
  pm2: [],
};
