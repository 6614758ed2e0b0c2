/**
 * `npm run demo`: the exporter over three stand-in Filebeats, for somebody who has none at hand. One is well, one has
 * lost a port to another process, one does not hold a port that it is configured for. Ctrl-C ends and removes it all.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { type Exporter, startExporter } from './exporter.js';
import { until } from './live.js';
import { createWorld } from './world.js';

const wantedPort = 9117;

async function isFree(port: number, protocol: 'udp' | 'tcp'): Promise<boolean> {
  if (protocol === 'tcp') {
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, () => resolve(true));
    });
    if (free) await new Promise((resolve) => server.close(resolve));
    return free;
  }
  const socket = createSocket('udp6');
  const free = await new Promise<boolean>((resolve) => {
    socket.once('error', () => resolve(false)).bind(port, '::', () => resolve(true));
  });
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return free;
}

async function freeFrom(port: number, protocol: 'udp' | 'tcp'): Promise<number> {
  while (!(await isFree(port, protocol))) port++;
  return port;
}

const world = createWorld('filebeat-demo-');
let exporter: Exporter | undefined;
let ending: Promise<void> | undefined;

async function end(): Promise<void> {
  await world.end();
  await exporter?.stop();
}

/** Once, however often it is asked for: a terminal sends its signal to all of us. */
function endWith(code: number): void {
  ending ??= end().then(
    () => process.exit(code),
    (error: Error) => {
      console.error(error.message);
      process.exit(1);
    },
  );
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => endWith(0));

async function start(): Promise<void> {
  const ports: number[] = [];
  for (const wish of [9001, 9002, 9003, 5514, 2055, 4739])
    ports.push(
      await freeFrom(Math.max(wish, ...ports.filter((p) => p >= wish && p < wish + 100).map((p) => p + 1)), 'udp'),
    );
  const [one, two, three, lost, flow, ipfix] = ports as [number, number, number, number, number, number];
  const output = 'output.console.enabled: true\n';

  const well = await world.filebeat('core-switches', [`0.0.0.0:${one}`, `0.0.0.0:${two}`, `127.0.0.1:${three}`], {
    text: `filebeat.inputs:
  - type: udp
    host: "0.0.0.0:${one}"
  - type: syslog
    protocol.udp:
      host: "0.0.0.0:${two}"
  - type: udp
    host: "localhost:${three}"
${output}`,
    mayFail: false,
  });
  const thief = await world.process({ argv: ['/usr/sbin/syslog-relay', '--foreground'], sockets: [`udp :${lost}`] });
  const robbed = await world.filebeat('firewalls', [`0.0.0.0:${lost}`]);
  const lacking = await world.filebeat('flows', [], {
    text: `filebeat.inputs:
  - type: netflow
    host: "0.0.0.0:${flow}"
    protocols: [v5, v9]
  - type: netflow
    host: "0.0.0.0:${ipfix}"
    protocols: [ipfix]
${output}`,
    sockets: [`udp :${flow}`],
  });

  const port = await freeFrom(wantedPort, 'tcp');
  exporter = await startExporter([], { listen: `:${port}`, detached: true });
  exporter.ended.then(() => endWith(1));
  // Nobody is invited before there is something to see; on a busy host it takes a moment to find out who the thief is.
  const { scrape } = exporter;
  const isNamed = async () => (await scrape()).all('filebeat_port_info', { owner_pid: String(thief.pid) }).length > 0;
  await until('the thief is found', () => isNamed().catch(() => false), 120);
  if (port !== wantedPort) console.log(`Port ${wantedPort} is in use, so the exporter serves on ${port}.\n`);
  console.log(`Three stand-ins for Filebeat run, their configuration files are in ${world.folder}:
  core-switches  pid ${well.pid}: udp ${one}, ${two} and ${three}, all well
  firewalls      pid ${robbed.pid}: udp ${lost}, which syslog-relay (pid ${thief.pid}) took first
  flows          pid ${lacking.pid}: udp ${flow} and ${ipfix}, of which it does not hold ${ipfix}

See what the exporter makes of it: http://localhost:${port}/
What Prometheus gets:              http://localhost:${port}/metrics

Ctrl-C ends the Filebeats and the exporter and removes their files.`);
}

await start().catch(async (error: Error) => {
  if (ending !== undefined) return; // Interrupted while it started.
  console.error(`the demonstration cannot start: ${error.message}`);
  endWith(1);
});
