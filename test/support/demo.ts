/**
 * `npm run demo`: the exporter with five stand-in Filebeats. One is healthy, one has lost a port to another process, one
 * lacks a configured port; of two that write a log, one logs that its output is down, and a port of the other falls
 * silent. Ctrl-C ends and removes everything.
 */
import { createSocket } from 'node:dgram';
import { appendFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { type Exporter, startExporter } from './exporter.js';
import { metricsLine, type Period, said } from './filebeat-log.js';
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

/**
 * Only one demonstration at a time searches for free ports and binds them. The abstract socket is a lock of the network
 * namespace, as the ports are, and ends with its process. Undefined while another one starts.
 */
function takeTurn(): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined)).listen('\0filebeat-port-exporter-demo', () => resolve(server));
  });
}

const world = createWorld('filebeat-demo-');
let exporter: Exporter | undefined;
let writer: NodeJS.Timeout | undefined;
let ending: Promise<void> | undefined;

async function end(): Promise<void> {
  clearInterval(writer);
  await world.end();
  await exporter?.stop();
}

/** Ends only once, because a terminal sends its signal to the whole process group. */
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
  const turn = await until('another `npm run demo` has started; end it, then run this one again', takeTurn, 180);
  const ports: number[] = [];
  for (const wish of [9001, 9002, 9003, 5514, 2055, 4739, 5515, 5516, 5517])
    ports.push(
      await freeFrom(Math.max(wish, ...ports.filter((p) => p >= wish && p < wish + 100).map((p) => p + 1)), 'udp'),
    );
  const [one, two, three, lost, flow, ipfix, dmz, chatty, quiet] = ports as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
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

  const logs = { dmz: world.write('dmz.ndjson', ''), branches: world.write('branches.ndjson', '') };
  const stuck = await world.filebeat('dmz', [`0.0.0.0:${dmz}`], { log: logs.dmz });
  const hushed = await world.filebeat('branches', [`0.0.0.0:${chatty}`, `0.0.0.0:${quiet}`], { log: logs.branches });
  writer = tellStories(logs, [chatty, quiet]);

  const port = await freeFrom(wantedPort, 'tcp');
  // A short time, so that a port is silent within minutes.
  const settings = world.write('exporter.yml', 'self_report: {silent_after: 10s}\n');
  exporter = await startExporter(['--config.file', settings], { listen: `:${port}`, detached: true });
  exporter.ended.then(() => endWith(1));
  // Prints the URL only once the owner of the taken port is known, which may take a moment on a busy host.
  const { scrape } = exporter;
  const isNamed = async () => (await scrape()).all('filebeat_port_info', { owner_pid: String(thief.pid) }).length > 0;
  await until('the thief is found', () => isNamed().catch(() => false), 120);
  if (port !== wantedPort) console.log(`Port ${wantedPort} is in use, so the exporter serves on ${port}.\n`);
  console.log(`Five stand-ins for Filebeat run, their configuration files are in ${world.folder}:
  core-switches  pid ${well.pid}: udp ${one}, ${two} and ${three}, all well
  firewalls      pid ${robbed.pid}: udp ${lost}, which syslog-relay (pid ${thief.pid}) took first
  flows          pid ${lacking.pid}: udp ${flow} and ${ipfix}, of which it does not hold ${ipfix}
  dmz            pid ${stuck.pid}: udp ${dmz}; its log says that its output is down, which counts after a minute
  branches       pid ${hushed.pid}: udp ${chatty} and ${quiet}; after two minutes nothing comes to ${quiet} any more

See what the exporter makes of it: http://localhost:${port}/
What Prometheus gets:              http://localhost:${port}/metrics

Ctrl-C ends the Filebeats and the exporter and removes their files.`);
  turn.close();
}

/** Another program has bound the port meanwhile. */
const takenPort = /EADDRINUSE|another program already listens on it/;

/** Writes the logs of two Filebeats of release 9.6: a metrics line every five seconds, and why the output is not reached. */
function tellStories(logs: { dmz: string; branches: string }, [chatty, quiet]: [number, number]): NodeJS.Timeout {
  let lines = 0;
  const write = () => {
    const now = Date.now() / 1000;
    const waits = Math.min(3201, 500 * (lines + 1));
    const down: Period = { in: waits === 3201 ? 0 : 500, active: waits };
    const refused = 'Failed to connect to backoff(async(tcp://127.0.0.1:5044)): connect: connection refused';
    appendFileSync(logs.dmz, `${metricsLine('json', now, down)}\n${said('json', now, refused)}\n`);
    // Like Filebeat, the log names the device once.
    const device = (port: number) => (lines === 0 ? { device: `0.0.0.0:${port}` } : {});
    const inputs = {
      chatty: { received: 50, ...device(chatty) },
      quiet: { ...(lines < 24 ? { received: 5 } : {}), ...device(quiet) },
    };
    appendFileSync(logs.branches, `${metricsLine('json', now, { in: 55, acked: 55, active: 0, inputs })}\n`);
    lines++;
  };
  write();
  return setInterval(write, 5000);
}

await start().catch(async (error: Error) => {
  if (ending !== undefined) return; // Interrupted while it started.
  const why = takenPort.test(error.message)
    ? 'another program has just taken a port that was free. Run it again: it looks for free ports anew.'
    : error.message;
  console.error(`the demonstration cannot start: ${why}`);
  endWith(1);
});
