/**
 * Filebeats as services of a machine (`systemd.ts`). Because systemd starts them, they read their sockets from standard
 * input, which the unit connects to a file: `StandardInput=file:/srv/sockets/NAME`.
 */
import { parseBind } from './bind-words.js';
import { messageOf } from './stub-calls.js';
import { DATA_ADDRESS, writeStub } from './stub-program.js';
import type { Machine } from './systemd.js';
import { udpConfig } from './world.js';

const forEver = messageOf('ppoll', [0, 0, 0, 0]);
const firstDescriptor = 3;

/** The input of a stand-in to bind these sockets and keep running. A failed bind changes nothing, as in Filebeat. */
export function bindingInput(sockets: readonly string[]): Buffer {
  const calls = sockets.map(parseBind).flatMap(({ family, protocol, sockaddr }, index) => {
    const fd = firstDescriptor + index;
    return [
      messageOf('socket', [family, protocol === 'udp' ? 2 : 1, 0]),
      messageOf('bind', [fd, DATA_ADDRESS, sockaddr.length], sockaddr),
      ...(protocol === 'tcp' ? [messageOf('listen', [fd, 128])] : []),
    ];
  });
  return Buffer.concat([messageOf('close_range', [firstDescriptor, 0xffff_ffff, 0]), ...calls, forEver]);
}

export const program = '/usr/share/filebeat/bin/filebeat';

/** The packages' unit as a template: the instance name is the name of its file and data path. */
export const templateUnit = `[Unit]
Description=Filebeat %i
[Service]
ExecStart=${program} --environment systemd -c /etc/filebeat/%i.yml --path.home /usr/share/filebeat \\
  --path.config /etc/filebeat --path.data /var/lib/filebeat/%i --path.logs /var/log/filebeat
StandardInput=file:/srv/sockets/%i
StandardOutput=null
Restart=always
[Install]
WantedBy=multi-user.target
`;

/** Installs the program once for a machine. */
export function installFilebeat(machine: Machine): void {
  machine.write(program, '');
  writeStub(machine.path(program));
}

/** Writes `/etc/filebeat/NAME.yml` with a udp input for each host, and the sockets of the process: by default the same. */
export function configureFilebeat(
  machine: Machine,
  name: string,
  hosts: readonly string[],
  sockets: readonly string[] = hosts.map((host) => `udp ${host}`),
): void {
  machine.write(`/etc/filebeat/${name}.yml`, udpConfig(hosts), 0o600);
  machine.write(`/srv/sockets/${name}`, bindingInput(sockets));
}
