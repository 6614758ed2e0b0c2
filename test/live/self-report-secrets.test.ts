/**
 * Secrets in logs and endpoint answers of Filebeats of any release: none of them appears on a page, in a metric, a log line,
 * the terminal or the state file.
 */
import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openProcFs } from '../../src/proc/proc-fs.js';
import { queryEndpoint } from '../../src/self-report/endpoint/endpoint-client.js';
import { createSelfReports } from '../../src/self-report/self-reports.js';
import { listener } from '../support/build.js';
import { createCanaries } from '../support/canaries.js';
import { endpointAt, processOf } from '../support/endpoints.js';
import { run, startExporter } from '../support/exporter.js';
import { evening, type Form, metricsLine, metricsOf, said } from '../support/filebeat-log.js';
import { handClock } from '../support/hand-clock.js';
import { quietPort, until } from '../support/live.js';
import { createWorld } from '../support/world.js';

const world = createWorld('secrets-');
after(() => world.end());
const canaries = createCanaries();
const { plant } = canaries;

/** Log lines of each form, with a secret at every place where one was found. */
function lines(form: Form, at: number, port: number): string[] {
  const error = (message: string, fields?: Record<string, unknown>) => said(form, at, message, fields);
  const id = plant('id of an input');
  const payload = plant('payload of an event');
  return [
    error(
      `Failed to connect to backoff(elasticsearch(http://${plant('user info')}:x@es:9200/${plant('path')}?${plant('query')})): Get "http://es/${plant('path again')}": dial tcp: connection refused`,
    ),
    error(
      `Failed to connect to backoff(elasticsearch(http://es:9200)): 401 Unauthorized: {"error":"${plant('answer of a server')}"}`,
    ),
    error(`failed to perform any bulk index operations: 403 Forbidden: ${plant('answer of a server, 403')}`),
    error(`failed to publish events: 500 ${plant('answer of a server, 500')}`),
    error(`DNS lookup failure "${plant('name of a host')}"`),
    error(`Kafka (topic=${plant('topic')}): kafka: client has run out of available brokers`),
    error(`Writing event to file failed with: write /${plant('path of a file')}: no space left on device`),
    error(
      `Cannot index event publisher.Event{Content:beat.Event{Fields:{"message":"${payload}"}}} (status=400): x, dropping event!`,
    ),
    error(
      `Error loading config from file '/etc/${plant('path of a reloaded file')}', error invalid config: yaml: ${plant('text of a file')}`,
    ),
    error(`Error creating runner from config: ${plant('setting of a reloaded entry')}`),
    error(`Input 'udp' failed with: the processor action ${plant('name of a processor')} does not exist`, {
      id,
      host: `0.0.0.0:${port}`,
    }),
    error('Cannot connect', {
      id,
      host: `${plant('host of an input')}:1`,
      'error.message': `listen udp ${plant('host of a bind')}:1: bind: permission denied`,
    }),
    error(
      `Exiting: error initializing publisher: parse "http://u:${plant('password in a malformed URL')}@[::1:9200": missing ']' in host`,
    ),
    error(`Exiting: ${plant('text of an end')}`),
    error(plant('a line of no known class'), { [plant('name of a field')]: plant('value of a field') }),
    // Lines of each start, and of level debug.
    error(`Using proxy URL: http://u:${plant('password of a proxy')}@127.0.0.1:3128`)
      .replace('"error"', '"info"')
      .replace('\tERROR\t', '\tINFO\t'),
    error(`Publish event: {"message":"${plant('event at level debug')}"}`)
      .replace('"error"', '"debug"')
      .replace('\tERROR\t', '\tDEBUG\t'),
    error('Process info', { system_info: { process: { pid: 1, name: plant('name of a process'), start_time: 'x' } } }),
    error('starting udp input', { id: plant('id at a start'), host: `${plant('host at a start')}:77` }),
    metricsLine(form, at, {
      in: 5,
      acked: 5,
      active: 0,
      inputs: {
        [id]: { received: 5, device: `0.0.0.0:${port}` },
        [plant('id of another')]: { received: 1, device: `${plant('device')}:1` },
      },
    }),
    plant('no line of a log'),
    `{"log.level":"warn","@timestamp":"${plant('time')}","message":"${plant('message without a time')}"}`,
  ];
}

describe('a log with secrets', () => {
  it('leaks them by no route, terminal, log or file of the exporter', async () => {
    const ports = [await quietPort(), await quietPort()];
    const logs = [world.write('text.log', ''), world.write('json.ndjson', '')];
    const forms: Form[] = ['text', 'json'];
    const now = Date.now() / 1000;
    const standIns = [];
    for (const [index, form] of forms.entries()) {
      const standIn = await world.filebeat(`keeps-${form}`, [`0.0.0.0:${ports[index]}`, '0.0.0.0:9'], {
        log: logs[index]!,
        mayFail: true,
      });
      standIns.push(standIn);
      appendFileSync(logs[index]!, `${lines(form, now + 1, ports[index]!).join('\n')}\n`);
    }
    const settings = world.write('exporter.yml', 'self_report: {http: true}\n');
    const exporter = await startExporter([`--config.file=${settings}`, '--log.level=debug']);
    const told: [string, string][] = [];
    const crawl = async (when: string) => {
      const names = (await exporter.status()).instances.map(({ name }) => `/instances/${encodeURIComponent(name)}`);
      for (const path of ['/', '/metrics', '/api/v1/status', ...names])
        told.push([`${when} ${path}`, await (await exporter.get(path)).text()]);
    };
    try {
      // Proves that it was read.
      await until(
        'both logs are read',
        async () => {
          const text = await (await exporter.get('/metrics')).text();
          return forms.every((form) =>
            new RegExp(`log_errors_total\\{name="keeps-${form}".*kind="output_connect"\\} [2-9]`).test(text),
          );
        },
        60,
      );
      await crawl('running');
      for (const one of standIns) await one.stop();
      for (const path of logs)
        appendFileSync(path, `${said('json', Date.now() / 1000 + 1, `Exiting: ${plant('last words')}`)}\n`);
      await until(
        'they are down',
        async () =>
          (await exporter.status()).instances.filter(({ name, up }) => name.startsWith('keeps-') && !up).length === 2,
        60,
      );
      await crawl('down');
      for (const command of [['check'], ['check', '--json'], ['metrics']])
        told.push([
          command.join(' '),
          JSON.stringify(
            await run([...command, `--config.file=${settings}`, `--state.file=${join(exporter.folder, 'state.json')}`]),
          ),
        ]);
      for (const name of readdirSync(exporter.folder))
        told.push([`file ${name}`, readFileSync(join(exporter.folder, name), 'utf8')]);
    } finally {
      await exporter.stop();
    }
    told.push(['log', exporter.log()]);
    assert.ok(
      told.some(([by, text]) => by.startsWith('file ') && text.includes('keeps-json')),
      'the state file was looked at',
    );
    const leaks = told.flatMap(([by, text]) => canaries.leaks(text).map((where) => `${where}: ${by}`));
    assert.deepEqual(leaks, []);
  });
});

describe('an endpoint with secrets', () => {
  it('leaks only numbers and a known type of output', async () => {
    const stats = metricsOf({ in: 5, acked: 5, active: 0 }) as { libbeat: { output: Record<string, unknown> } };
    stats.libbeat.output['type'] = plant('kind of the output');
    stats.libbeat.output[plant('name of a figure')] = 7;
    const answers: Record<string, unknown> = {
      '/': {
        name: plant('name'),
        hostname: plant('host name'),
        username: plant('user'),
        ephemeral_id: plant('ephemeral id'),
        uuid: plant('uuid'),
      },
      '/stats': { ...stats, beat: { info: { name: plant('name in stats'), version: plant('version') } } },
      '/inputs/': [
        {
          id: plant('id in inputs'),
          input: 'udp',
          device: '0.0.0.0:514',
          received_events_total: 5,
          note: plant('a field of an entry'),
        },
        {
          id: plant('another id in inputs'),
          input: plant('type of an input'),
          device: `${plant('device in inputs')}:1`,
        },
      ],
    };
    const server = createServer((request, response) =>
      response.end(JSON.stringify(answers[request.url ?? ''] ?? null)),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const procfs = openProcFs('/proc');
    const reports = createSelfReports(
      procfs,
      handClock(() => evening),
      (target, withInputs) => queryEndpoint(target, withInputs, 60_000),
    );
    const subject = {
      id: 'id',
      name: 'core',
      process: { ...processOf(process.pid), startTime: evening - 60 },
      logs: '/nowhere',
      data: '/nowhere',
      listeners: [listener(':514')],
      serving: [[]],
      stats: endpointAt(port),
    };
    const look = await reports.poll([subject], {}, { logs: true, http: true, silentAfter: 900 }, evening, true);
    server.close();
    assert.equal(look.reports.get('id')?.listeners['udp|*|514']?.received, 5);
    assert.deepEqual(canaries.leaks(JSON.stringify([...look.reports, look.stored, look.gaps])), []);
  });
});

describe('the file of refused events', () => {
  it('is not read, even if it is new and looks like a log', async () => {
    const log = world.write('events-data.ndjson', '');
    writeFileSync(
      log,
      `${JSON.stringify({ 'log.level': 'warn', '@timestamp': new Date().toISOString(), 'log.type': 'event', message: plant('refused event') })}\n`,
    );
    const standIn = await world.filebeat('refuses', [`0.0.0.0:${await quietPort()}`], { log });
    const { stdout } = await run(['check', '--json', '--state.file=']);
    await standIn.stop();
    const one = (JSON.parse(stdout) as { instances: { name: string; self_report: unknown }[] }).instances.find(
      ({ name }) => name === 'refuses',
    );
    assert.ok(one !== undefined && one.self_report === null, JSON.stringify(one?.self_report));
    assert.deepEqual(canaries.leaks(stdout), []);
  });
});
