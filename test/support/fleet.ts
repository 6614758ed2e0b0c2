/**
 * Measures the cost of a fleet for Prometheus, as root: `node dist/test/support/fleet.js [HOSTS] [SECONDS]`. The real exporter
 * scans five stand-in Filebeats with ten ports each; its metrics are served to Debian's Prometheus as that many hosts, with the
 * example rules and with changing values as on a live host. Prints the figures of docs/sizing.md.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { startExporter } from './exporter.js';
import { freePort, until } from './live.js';
import { prometheusFolder, rulesName } from './rules.js';
import { createWorld } from './world.js';

const [filebeats, portsEach] = [5, 10];
/** Scrape interval in seconds: a third of the example's, for the same figures in a third of the time. */
const pace = 5;
const quiet = /^(#|$)/;
/** Metrics whose value changes with every scrape of a busy host. */
const moving =
  /^(filebeat_(?:instance_(?:cpu_seconds_total|resident_memory_bytes|last_seen_\w+)|port_receive_queue_bytes|udp_in_datagrams_total|port_exporter_(?:scan_duration|last_scan)_\w+)(?:\{.*\})?) (\S+)$/gm;

interface Cost {
  series: number;
  bytes: number;
  /** Compressed like the exporter's. */
  gzipped: number;
  /** Prometheus: series in its head, including those of rules; resident bytes; CPU seconds per second. */
  head: { series: number; recorded: number; resident: number; processor: number };
  /** A block of two hours of one host, scraped every 15 s; including the index. */
  bytesPerSample: number;
}

/** The real exporter's metrics of one host. */
async function oneHost(): Promise<string> {
  const world = createWorld('fleet-');
  const exporter = await startExporter();
  try {
    for (let i = 0; i < filebeats; i++) {
      const hosts = Array.from({ length: portsEach }, (_, j) => `0.0.0.0:${9000 + i * portsEach + j}`);
      await world.filebeat(`site-${i}`, hosts);
    }
    // A request during a scan gets the result of that scan.
    return await until('all are seen', async () => {
      const text = await (await exporter.get('/metrics')).text();
      return text.split(/^filebeat_port_up\{/m).length > filebeats * portsEach && text;
    });
  } finally {
    await exporter.stop();
    await world.end();
  }
}

/** The same host at its `n`th scrape: counters increase, sizes vary. */
function later(text: string, n: number): string {
  return text.replace(moving, (_, series: string, value: string) => {
    const wander = Math.random();
    if (/timestamp/.test(series)) return `${series} ${Number(value) + n * pace + wander}`;
    if (/_total/.test(series)) return `${series} ${(Number(value) + n * (1 + wander)).toFixed(2)}`;
    if (/queue/.test(series)) return `${series} ${wander < 0.9 ? 0 : 832 * Math.ceil(wander * 20)}`;
    return `${series} ${Number(value) * (0.9 + wander / 5)}`;
  });
}

function diskBytesPerSample(text: string, folder: string): number {
  const lines = text.split('\n').filter((line) => !quiet.test(line));
  const scrapes = 480;
  const start = 1_790_000_000;
  const all = Array.from({ length: scrapes }, (_, n) => later(lines.join('\n'), n).split('\n'));
  const rows = lines.flatMap((_, i) => all.map((scrape, n) => `${scrape[i]} ${start + n * 15}`));
  const [input, output] = [join(folder, 'samples'), join(folder, 'blocks')];
  writeFileSync(input, `${rows.join('\n')}\n# EOF\n`);
  const { status, stderr } = spawnSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', input, output]);
  if (status !== 0) throw new Error(`promtool: ${stderr}`);
  const files = readdirSync(output, { recursive: true }).map((name) => statSync(join(output, String(name))));
  return files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0) / rows.length;
}

async function headOf(text: string, hosts: number, seconds: number, folder: string): Promise<Cost['head']> {
  const scrapes = new Map<string, number>();
  const fleet = createServer(({ url = '' }, response) => {
    const n = (scrapes.get(url) ?? 0) + 1;
    scrapes.set(url, n);
    response.setHeader('Content-Type', 'text/plain; version=0.0.4').end(later(text, n));
  });
  await new Promise<void>((resolve) => fleet.listen(0, '127.0.0.1', resolve));
  const target = `127.0.0.1:${(fleet.address() as AddressInfo).port}`;
  const static_configs = Array.from({ length: hosts }, (_, i) => ({
    targets: [target],
    labels: { __metrics_path__: `/${i}`, instance: `host-${i}.example.org:9117`, site: 'lab' },
  }));
  const config = join(folder, 'prometheus.yml');
  const job = { job_name: 'filebeat-port-exporter', scrape_interval: `${pace}s`, scrape_timeout: `${pace}s` };
  const rule_files = [join(prometheusFolder, rulesName)];
  writeFileSync(
    config,
    JSON.stringify({
      global: { evaluation_interval: `${pace}s` },
      rule_files,
      scrape_configs: [{ ...job, static_configs }],
    }),
  );
  const address = `127.0.0.1:${await freePort()}`;
  const flags = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'tsdb')}`];
  const prometheus = spawn('prometheus', [...flags, `--web.listen-address=${address}`], { stdio: 'ignore' });
  const ended = new Promise((resolve) => prometheus.once('exit', resolve));
  const own = async () => {
    const said = await fetch(`http://${address}/metrics`).then((answer) => answer.text());
    return (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(said)?.[1]);
  };
  try {
    const scraped = hosts * (text.split('\n').filter((line) => !quiet.test(line)).length + 5);
    const begun = async () => {
      const figures = await own().catch(() => undefined);
      return figures !== undefined && figures('prometheus_tsdb_head_series') >= scraped && figures;
    };
    const before = await until('Prometheus has scraped every host', begun, 60);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const after = await own();
    const series = after('prometheus_tsdb_head_series');
    const spent = after('process_cpu_seconds_total') - before('process_cpu_seconds_total');
    const resident = after('process_resident_memory_bytes');
    return { series, recorded: series - scraped, resident, processor: spent / seconds };
  } finally {
    prometheus.kill();
    await ended;
    fleet.closeAllConnections();
    await new Promise((resolve) => fleet.close(resolve));
  }
}

async function measure(hosts: number, seconds: number): Promise<Cost> {
  const text = await oneHost();
  const folder = mkdtempSync(join(tmpdir(), 'fleet-'));
  try {
    mkdirSync(join(folder, 'blocks'));
    return {
      series: text.split('\n').filter((line) => !quiet.test(line)).length,
      bytes: Buffer.byteLength(text),
      gzipped: gzipSync(text, { level: 1 }).length,
      bytesPerSample: diskBytesPerSample(text, folder),
      head: await headOf(text, hosts, seconds, folder),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(hosts: number, seconds: number): Promise<void> {
  if (spawnSync('ip', ['link', 'set', 'lo', 'up']).status !== 0) throw new Error('lo does not come up');
  const { series, bytes, gzipped, bytesPerSample, head } = await measure(hosts, seconds);
  const n = (value: number, digits = 0) => value.toLocaleString('en', { maximumFractionDigits: digits });
  console.log(`one host, ${filebeats} Filebeats, ${filebeats * portsEach} ports: ${n(series)} series, ${n(bytes)} bytes, gzipped ${n(gzipped)}
${n(hosts)} hosts every ${pace} s for ${seconds} s: ${n(head.series)} series in the head, ${n(head.recorded)} of them from rules
memory: ${n(head.resident / 2 ** 20)} MiB resident, ${n(head.resident / head.series)} bytes for each series
processor: ${n(head.processor * 100, 1)} % of one
disk: ${n(bytesPerSample, 2)} bytes for each sample`);
}

const inside = 'FLEET_INSIDE';
if (process.env[inside] === '1') await main(Number(process.argv[2] ?? 100), Number(process.argv[3] ?? 180));
else {
  // With pid and network namespaces of its own, without other Filebeats of this machine.
  const args = ['--net', '--pid', '--fork', '--kill-child', '--mount-proc', process.execPath, ...process.argv.slice(1)];
  process.exitCode =
    spawnSync('unshare', args, { env: { ...process.env, [inside]: '1' }, stdio: 'inherit' }).status ?? 1;
}
