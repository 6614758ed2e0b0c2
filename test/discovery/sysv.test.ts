import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findInitScripts } from '../../src/discovery/systemd/sysv.js';
import { openFileView } from '../../src/proc/files/root-files.js';
import { type Tree, writeTree } from '../support/tree.js';

/** Structured like the script of the Debian package (6.8 to 8.10). */
const debian = `#!/bin/sh
### BEGIN INIT INFO
# Provides: filebeat
### END INIT INFO
NAME="filebeat"
DAEMON=/usr/share/\${NAME}/bin/\${NAME}
DAEMON_ARGS="-c /etc/\${NAME}/\${NAME}.yml -path.home /usr/share/\${NAME} -path.data /var/lib/\${NAME}"
TEST_ARGS="-e test config"
PIDFILE=/var/run/filebeat.pid
WRAPPER="/usr/share/\${NAME}/bin/\${NAME}-god"
BEAT_USER="root"
WRAPPER_ARGS="-r / -n -p $PIDFILE"
[ -x "$DAEMON" ] || exit 0
[ -r /etc/default/filebeat ] && . /etc/default/filebeat
[ "$BEAT_USER" != "root" ] && WRAPPER_ARGS="$WRAPPER_ARGS -u $BEAT_USER"
USER_WRAPPER="su"
USER_WRAPPER_ARGS="$BEAT_USER -c"
if command -v runuser >/dev/null 2>&1; then
    USER_WRAPPER="runuser"
fi
. /lib/lsb/init-functions
do_test()
{
        $USER_WRAPPER $USER_WRAPPER_ARGS "$DAEMON $DAEMON_ARGS $TEST_ARGS"
}
do_start()
{
	start-stop-daemon --start \\
                --pidfile $PIDFILE  \\
		--exec $WRAPPER -- $WRAPPER_ARGS -- $DAEMON $DAEMON_ARGS \\
		|| return 2
}
do_stop()
{
	start-stop-daemon --stop --quiet --retry=TERM/5/KILL/5 --pidfile $PIDFILE --exec $WRAPPER
	start-stop-daemon --stop --quiet --oknodo --retry=0/30/KILL/5 --exec $DAEMON
}
case "$1" in
  start) do_start ;;
  stop) do_stop ;;
esac
`;

/** Structured like the script of the RPM package. */
const redhat = `#!/bin/bash
PATH=/usr/bin:/sbin:/bin:/usr/sbin
export PATH
[ -f /etc/sysconfig/filebeat ] && . /etc/sysconfig/filebeat
pidfile=\${PIDFILE-/var/run/filebeat.pid}
agent=\${BEATS_AGENT-/usr/share/filebeat/bin/filebeat}
args="-c /etc/filebeat/filebeat.yml -path.home /usr/share/filebeat"
test_args="-e test config"
beat_user="\${BEAT_USER:-root}"
wrapper="/usr/share/filebeat/bin/filebeat-god"
wrapperopts="-r / -n -p $pidfile"
user_wrapper="su"
user_wrapperopts="$beat_user -c"
. /etc/rc.d/init.d/functions
if status | grep -q -- '-p' 2>/dev/null; then
    daemonopts="--pidfile $pidfile"
fi
test() {
	$user_wrapper $user_wrapperopts "$agent $args $test_args"
}
start() {
    echo -n $"Starting filebeat: "
    daemon $daemonopts $wrapper $wrapperopts -- $agent $args
    RETVAL=$?
}
case "$1" in
    start)
        start
    ;;
esac
`;

const programs: Tree = {
  '/usr/share/filebeat/bin/filebeat': '\x7fELF',
  '/usr/share/filebeat/bin/filebeat-god': '\x7fELF',
};

function look(tree: Tree, native: string[] = []) {
  return findInitScripts(openFileView(writeTree({ ...programs, ...tree })), { processNames: ['filebeat'] }, native)
    .units;
}

describe('init scripts', () => {
  it("the Debian script's daemon and its arguments are found behind start-stop-daemon and filebeat-god", () => {
    const [unit] = look({ '/etc/init.d/filebeat': debian, '/etc/rc3.d/S02filebeat': '-> ../init.d/filebeat' });
    assert.deepEqual(unit!.argv, [
      '/usr/share/filebeat/bin/filebeat',
      ...'-c /etc/filebeat/filebeat.yml -path.home /usr/share/filebeat -path.data /var/lib/filebeat'.split(' '),
    ]);
    assert.deepEqual([unit!.name, unit!.shouldRun, unit!.wantedBy], ['filebeat', true, ['rc3']]);
  });

  it("the RPM script's daemon is found, and /etc/sysconfig overrides it", () => {
    const script = { '/etc/rc.d/init.d/filebeat': redhat, '/etc/init.d': '-> rc.d/init.d' };
    assert.equal(look(script)[0]!.argv[0], '/usr/share/filebeat/bin/filebeat');
    const [unit] = look({ ...script, '/etc/sysconfig/filebeat': 'BEATS_AGENT=/opt/fb/filebeat\n' });
    assert.deepEqual(unit!.argv.slice(0, 3), ['/opt/fb/filebeat', '-c', '/etc/filebeat/filebeat.yml']);
  });

  it('/etc/default overrides the script', () => {
    const [unit] = look({
      '/etc/init.d/filebeat': debian,
      '/etc/default/filebeat': 'DAEMON_ARGS="-c /etc/filebeat/site.yml"\n',
    });
    assert.deepEqual(unit!.argv, ['/usr/share/filebeat/bin/filebeat', '-c', '/etc/filebeat/site.yml']);
    assert.equal(unit!.shouldRun, false);
  });

  it('a copy of the script is a second instance', () => {
    const core = debian.replaceAll('/etc/default/filebeat', '/etc/default/filebeat-core');
    const units = look({
      '/etc/init.d/filebeat': debian,
      '/etc/init.d/filebeat-core': core,
      '/etc/default/filebeat-core': 'DAEMON_ARGS="-c /etc/filebeat/core.yml"\n',
      '/etc/rc2.d/S20filebeat-core': '-> ../init.d/filebeat-core',
    });
    assert.deepEqual(
      units.map((unit) => [unit.name, unit.shouldRun, unit.argv[2]]),
      [
        ['filebeat', false, '/etc/filebeat/filebeat.yml'],
        ['filebeat-core', true, '/etc/filebeat/core.yml'],
      ],
    );
  });

  it('only the default runlevel of /etc/inittab counts, and K links start nothing', () => {
    const tree = { '/etc/init.d/filebeat': debian, '/etc/inittab': '# x\nid:3:initdefault:\n' };
    const runs = (link: string) => look({ ...tree, [link]: '-> ../init.d/filebeat' })[0]!.shouldRun;
    assert.equal(runs('/etc/rc3.d/S20filebeat'), true);
    assert.equal(runs('/etc/rc5.d/S20filebeat'), false);
    assert.equal(runs('/etc/rc3.d/K20filebeat'), false);
    assert.equal(runs('/etc/rc0.d/S20filebeat'), false);
  });

  it('a systemd service of the same name hides the script', () => {
    assert.deepEqual(look({ '/etc/init.d/filebeat': debian }, ['filebeat.service']), []);
  });

  it('scripts of other programs are ignored, even if they mention Filebeat', () => {
    assert.deepEqual(
      look({
        '/etc/init.d/ssh': '#!/bin/sh\nsshd\n',
        '/etc/init.d/x': '#!/bin/sh\n# like filebeat\n/bin/x filebeat\n',
      }),
      [],
    );
  });

  it('a start-stop-daemon without filebeat-god has the arguments after `--`', () => {
    const [unit] = look({
      '/etc/init.d/fb':
        '#!/bin/sh\nstart-stop-daemon -S -b -m -p /run/fb.pid -d /opt/fb -x /opt/fb/filebeat -- -c fb.yml -e\n',
    });
    assert.deepEqual([unit!.argv, unit!.cwd], [['/opt/fb/filebeat', '-c', 'fb.yml', '-e'], '/opt/fb']);
  });
});
