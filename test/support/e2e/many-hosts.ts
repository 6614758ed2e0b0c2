/**
 * `node dist/test/support/e2e/many-hosts.js` (as root): twenty hosts with an exporter each, one Prometheus that finds them by
 * files, the fleet dashboard, and an Alertmanager that sends one message for one output that fails on forty hosts. Prints
 * the cost of remote write for docs/sizing.md.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { dashboardExpressions, readDashboard } from '../grafana.js';
import { until } from '../live.js';
import { prometheusFolder } from '../rules.js';
import { type FleetHost, prepareFleet, startHost } from './fleet-hosts.js';
import { interval } from './hurry.js';
import { type Servers, startServers } from './servers.js';

const inside = 'MANY_HOSTS_INSIDE';
const count = 20;
/** Number of hosts that share the output. */
const sharing = 40;
const job = 'filebeat-port-exporter';

const serve = (port: number, answer: (path: string) => string): Promise<Server> => {
  const server = createServer((request, response) => {
    // The request must be read before the response.
    request.resume().once('end', () => response.end(answer(request.url ?? '')));
  });
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)));
};

const lists = (folder: string) => (name: string, entries: { targets: string[]; labels: object }[]) => {
  writeFileSync(join(folder, 'targets.new'), JSON.stringify(entries));
  renameSync(join(folder, 'targets.new'), join(folder, 'targets', `${name}.yml`));
};

interface Sample {
  metric: Record<string, string>;
  value: [number, string];
}

async function vector(servers: Servers, query: string): Promise<Sample[]> {
  const url = `${servers.url}/api/v1/query?${new URLSearchParams({ query })}`;
  const { data, error } = (await (await fetch(url)).json()) as { data?: { result: Sample[] }; error?: string };
  if (data === undefined) throw new Error(`${query}: ${error}`);
  return data.result;
}

/** Filebeats of a host; that of host 5 does not get one of its ports. */
const filebeatsOf = (number: number) => ({
  core: { asks: [9001, 9002, 9003], binds: number === 5 ? [9001, 9002] : [9001, 9002, 9003] },
  edge: { asks: [514, 2055], binds: [514, 2055] },
});

async function showFleet(servers: Servers, hosts: FleetHost[], write: ReturnType<typeof lists>): Promise<void> {
  const [siteA, siteB] = [hosts.slice(0, 10), hosts.slice(10)];
  const entry = (some: FleetHost[], site: string) => [{ targets: some.map((h) => h.instance), labels: { site } }];
  write('site-a', entry(siteA, 'a'));
  await until('ten hosts are found', async () => (await servers.query('up == 1')) === 10, 120);
  write('site-b', entry(siteB, 'b'));
  await until('all hosts are found, without a reload', async () => (await servers.query('up == 1')) === count, 120);
  console.log(`${count} hosts found by two files`);

  hosts[2]!.kill('core');
  await hosts[6]!.end();
  const gone = async () =>
    (await servers.query('filebeat_instance_up == 0')) === 1 && (await servers.query('up == 0')) === 1;
  await until('what is broken is told', gone, 120);

  const fleet = dashboardExpressions(readDashboard('filebeat-fleet'), { job, host: '.*' });
  for (const { where, expr } of fleet) {
    const found = await servers.query(expr);
    // Nothing drops datagrams here.
    assert.ok(found > 0 || where.startsWith('panel Dropped datagrams'), `${where} finds nothing`);
  }
  console.log(`${fleet.length} queries of the fleet's dashboard executed`);

  const panel = (title: string) => fleet.find(({ where }) => where === `panel ${title} A`)!.expr;
  const cells = await vector(servers, panel('Hosts and Filebeats, worst first'));
  const told = cells.map(({ metric, value }) => `${metric['instance']} ${metric['name']} ${value[1]}`);
  assert.deepEqual(told.slice(0, 2), ['10.77.0.3:9117 core 4', '10.77.0.5:9117 core 3']);
  assert.equal(told.length, 2 * (count - 1));
  assert.ok(
    told.slice(2).every((cell) => cell.endsWith(' 0')),
    told.join('\n'),
  );
  const silent = await vector(servers, panel('Hosts that do not answer'));
  assert.deepEqual(
    silent.map(({ metric }) => metric['instance']),
    ['10.77.0.7:9117'],
  );
  // The link of a cell: its first field is the host.
  const page = await fetch(`http://${cells[0]!.metric['instance']}/`, { headers: { Accept: 'text/html' } });
  assert.match(await page.text(), /1 of 2 instances down/);
  const own = dashboardExpressions(readDashboard('filebeat-port-exporter'), {
    job,
    host: '10\\\\.77\\\\.0\\\\.3:9117',
  });
  for (const { expr } of own) await servers.query(expr);
  console.log(`${own.length} queries of one host's dashboard executed`);
}

/** The metrics of one real host, served by forty whose output fails at the same time. */
async function showSharedOutput(servers: Servers, host: FleetHost, write: ReturnType<typeof lists>): Promise<void> {
  const text = await (await fetch(`http://${host.instance}/metrics`)).text();
  const [, config] = /filebeat_instance_up\{name="core",config="([^"]*)"/.exec(text)!;
  const labels = `code="output_failing",severity="critical",name="core",config="${config}",pid="2",protocol="",address="",port=""`;
  let failing = false;
  const scraped = new Set<string>();
  const server = await serve(9200, (path) => {
    scraped.add(path);
    return failing ? `${text}filebeat_mismatch{${labels}} 1\n` : text;
  });
  try {
    const target = (i: number) => ({
      targets: ['127.0.0.1:9200'],
      labels: { __metrics_path__: `/${i}`, instance: `host-${i}.example.org:9117`, site: i % 2 ? 'a' : 'b' },
    });
    write(
      'sharing',
      Array.from({ length: sharing }, (_, i) => target(i)),
    );
    await until('all of them are scraped', () => scraped.size === sharing, 120);
    failing = true;
    const about = () =>
      servers
        .messages()
        .filter((message) => message.some(({ labels: l }) => l['alertname'] === 'FilebeatOutputFailing'));
    await until('a message comes', () => about().length > 0, 180);
    const [first] = about();
    const instances = new Set(first!.map(({ labels: l }) => l['instance']));
    assert.equal(instances.size, sharing, `${instances.size} hosts in the first message`);
    // Further messages about them would come within these intervals.
    await new Promise((resolve) => setTimeout(resolve, 3 * interval * 1000));
    assert.equal(about().length, 1, 'one message');
    console.log(`one message for one output that fails on ${instances.size} hosts`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function showRemoteWrite(servers: Servers): Promise<void> {
  const figures = await (await fetch(`${servers.url}/metrics`)).text();
  const figure = (name: string) => Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(figures)?.[1]);
  const sent = figure('prometheus_remote_storage_samples_total');
  const bytes = figure('prometheus_remote_storage_bytes_total');
  const all = figure('prometheus_tsdb_head_samples_appended_total');
  assert.ok(sent > 500, `${sent} samples sent`);
  console.log(
    `remote write: ${(bytes / sent).toFixed(1)} bytes for each sample, ${((100 * sent) / all).toFixed(0)} % of all samples`,
  );
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'many-hosts-'));
  const hosts: FleetHost[] = [];
  let servers: Servers | undefined;
  let store: Server | undefined;
  try {
    prepareFleet(folder);
    const numbers = Array.from({ length: count }, (_, i) => i + 1);
    hosts.push(...(await Promise.all(numbers.map((number) => startHost(folder, number, filebeatsOf(number))))));
    store = await serve(9201, () => '');
    const example = load(readFileSync(`${prometheusFolder}remote-write.yml`, 'utf8')) as { remote_write: object[] };
    const remote_write = example.remote_write.map((one) => ({ ...one, url: 'http://127.0.0.1:9201/' }));
    servers = await startServers(folder, { more: { remote_write }, shared: 5 * interval });
    const write = lists(folder);
    await showFleet(servers, hosts, write);
    await showSharedOutput(servers, hosts[0]!, write);
    await showRemoteWrite(servers);
  } finally {
    await servers?.stop();
    for (const host of hosts) await host.end();
    store?.closeAllConnections();
    store?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.env[inside] === '1') await main();
else {
  // With pid, network and mount namespaces of its own.
  const unshare = [
    '--net',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    process.execPath,
    ...process.argv.slice(1),
  ];
  process.exitCode =
    spawnSync('unshare', unshare, { env: { ...process.env, [inside]: '1' }, stdio: 'inherit' }).status ?? 1;
}
