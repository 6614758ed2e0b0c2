/**
 * Filebeats as services of a machine (`systemd.ts`): systemd starts them, so nobody tells them what to bind. They read
 * that from their standard input, which the unit takes from a file: `StandardInput=file:/srv/sockets/NAME`.
 */
import { parseBind } from './bind-words.js';
import { messageOf } from './stub-calls.js';
import { DATA_ADDRESS, writeStub } from './stub-program.js';
import type { Machine } from './systemd.js';
import { udpConfig } from './world.js';

const forEver = messageOf('ppoll', [0, 0, 0, 0]);
const firstDescriptor = 3;

/** What the program of a stand-in reads to bind these sockets and to stay. One that fails changes nothing: Filebeat runs on. */
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

/** The packages' unit as a template: the instance's name is that of its file and of its data. */
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

/** The program, once for a machine. */
export function installFilebeat(machine: Machine): void {
  machine.write(program, '');
  writeStub(machine.path(program));
}

/** `/etc/filebeat/NAME.yml` with a udp input for each host, and what the process will bind: the same, unless given. */
export function configureFilebeat(
  machine: Machine,
  name: string,
  hosts: readonly string[],
  sockets: readonly string[] = hosts.map((host) => `udp ${host}`),
): void {
  machine.write(`/etc/filebeat/${name}.yml`, udpConfig(hosts), 0o600);
  machine.write(`/srv/sockets/${name}`, bindingInput(sockets));
}
