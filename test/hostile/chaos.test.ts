/**
 * Random events happen to twenty Filebeats while eight clients scrape: every scrape is answered and parses, neither memory
 * nor descriptors grow, and in the end the report equals that of a new process. CHAOS_SECONDS=600 for the long run.
 */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { StatusDocument } from '../../src/exporter/json/status-json.js';
import { createChaos } from '../support/chaos.js';
import { type Exporter, startExporter } from '../support/exporter.js';
import { until } from '../support/live.js';
import { createChance } from '../support/random.js';
import { readScrape } from '../support/text-format.js';

const SECONDS = Number(process.env['CHAOS_SECONDS'] ?? 30);
const SEED = Number(process.env['CHAOS_SEED'] ?? 20261123);
const CLIENTS = 8;
const VICTIMS = 20;
/** Average milliseconds between two events. */
const PACE = 40;

const folder = mkdtempSync(join(tmpdir(), 'chaos-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function scrapeText(url: string, agent: Agent): Promise<{ status: number; text: string; seconds: number }> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    get(`${url}/metrics`, { agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text, seconds: (performance.now() - began) / 1000 }),
      );
    }).on('error', reject);
  });
}

function rssOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
/** Number of descriptors without client connections. */
function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Full descriptor scans are rate limited: a gap says that one is pending. */
async function knowsHolders(exporter: Pick<Awaited<ReturnType<typeof startExporter>>, 'scrape' | 'status'>) {
  await until(
    'no walk is owed',
    async () => {
      await exporter.scrape();
      return !(await exporter.status()).gaps.some(({ subject }) => subject === '/proc/*/fd');
    },
    60,
  );
}

/** The parts of the report that do not change between scans, for our own instances. */
function lasting({ instances, ports, mismatches, gaps }: StatusDocument, ours: ReadonlySet<string>) {
  const own = <T extends { config: string | null }>(list: readonly T[]) =>
    list.filter(({ config }) => config !== null && ours.has(config));
  return {
    instances: own(instances).map(
      ({ name, config, pid, up, healthy, origin, restarts, config_valid, config_pending_restart }) => ({
        ...{ name, config, pid, up, healthy, origin, restarts, config_valid, config_pending_restart },
      }),
    ),
    ports: own(ports).map(({ name, protocol, address, port, input, up, status, declared_in, owners }) => ({
      // Finding the owner of a dead Filebeat's port needs a full descriptor scan, which is rate limited.
      ...{ name, protocol, address, port, input, up, status, declared_in },
      owners: status === 'instance_down' ? [] : owners,
    })),
    // The number of restarts within the window changes with time.
    mismatches: own(mismatches.filter(({ code }) => code !== 'instance_flapping')).map(
      ({ code, name, pid, protocol, address, port, expected, seen, cause }) => ({
        ...{
          code,
          name,
          pid,
          protocol,
          address,
          port,
          expected,
          seen,
          cause: cause.replace(/\d+ (second|minute)s?/g, 'N'),
        },
      }),
    ),
    gaps: gaps.filter(({ subject }) => subject.startsWith(folder)),
  };
}

describe('chaos', () => {
  it('does not fail a scrape or leak, and ends with the report of a new process', {
    timeout: (SECONDS + 90) * 1000,
  }, async (context) => {
    console.log(`# chaos: begins with seed ${SEED}`);
    const chance = createChance(SEED);
    const chaos = await createChaos(folder, chance, VICTIMS);
    context.after(chaos.end);
    const ours = new Set(chaos.configs);
    const flags = ['--scan.freshness=50ms'];
    const exporter = await startExporter(flags);
    const kill = ({ pid, ended }: Exporter) => {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has exited.
      }
      return ended;
    };
    context.after(() => kill(exporter));
    await exporter.scrape();
    const stop = Date.now() + SECONDS * 1000;
    const answers = { scrapes: 0, slowest: 0, series: 0 };
    const memory: number[] = [];
    const agents = Array.from({ length: CLIENTS }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    const client = async (agent: Agent) => {
      while (Date.now() < stop) {
        const { status, text, seconds } = await scrapeText(exporter.url.replace(/\/$/, ''), agent);
        assert.equal(status, 200, text);
        answers.series += readScrape(text).series.length;
        answers.scrapes++;
        answers.slowest = Math.max(answers.slowest, seconds);
      }
    };
    const havoc = async () => {
      while (Date.now() < stop) {
        await chaos.step();
        await new Promise((resolve) => setTimeout(resolve, chance.below(2 * PACE)));
      }
    };
    const meter = async () => {
      while (Date.now() < stop) {
        memory.push(rssOf(exporter.pid));
        await new Promise((resolve) => setTimeout(resolve, (SECONDS * 1000) / 60));
      }
    };
    await Promise.all([...agents.map(client), havoc(), meter()]);
    for (const agent of agents) agent.destroy();
    await exporter.scrape();
    const descriptors = await until('no descriptor is left behind', () => {
      const open = descriptorsOf(exporter.pid);
      return open < 60 && open;
    });
    const third = memory.slice(Math.floor(memory.length / 3), Math.floor((2 * memory.length) / 3));
    const last = memory.slice(Math.floor((2 * memory.length) / 3));
    const [middle, end] = [Math.max(...third), Math.max(...last)];
    assert.ok(end < middle * 1.2 + 10, `memory grew from ${middle} to ${end} MiB`);

    // No more events: the report must equal that of a new process with the same state file.
    await knowsHolders(exporter);
    const settled = lasting(await exporter.status(), ours);
    assert.equal(settled.instances.length, VICTIMS);
    const state = join(folder, 'state.json');
    await until('the state is written', () => {
      process.kill(exporter.pid, 'SIGTERM');
      return exporter.ended.then(() => true);
    });
    copyFileSync(join(exporter.folder, 'state.json'), state);
    rmSync(exporter.folder, { recursive: true, force: true });
    const fresh = await startExporter([...flags, `--state.file=${state}`]);
    context.after(() => kill(fresh));
    await knowsHolders(fresh);
    assert.deepEqual(lasting(await fresh.status(), ours), settled);
    await fresh.stop();
    console.log(
      `# chaos: seed ${SEED}, ${SECONDS} s, ${JSON.stringify(chaos.counts)}, ${answers.scrapes} scrapes of ${CLIENTS} clients, ` +
        `${answers.series} series parsed, the slowest ${answers.slowest.toFixed(2)} s, memory at most ${middle.toFixed(0)} then ${end.toFixed(0)} MiB, ${descriptors} descriptors at the end`,
    );
  });
});
