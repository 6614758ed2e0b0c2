/** One run: first no fault, then every fault is made and repaired, then the records of Prometheus are judged. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Dashboard, dashboardExpressions } from '../grafana.js';
import type { Actor } from './actor.js';
import { haste, interval, ruleNames } from './hurry.js';
import { complaints, type Fault } from './judge.js';
import { addresses, type HostName, type Plot, type PlotName, plots } from './plots.js';
import type { ActiveAlert, Series, Servers } from './servers.js';

const now = () => Date.now() / 1000;
const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

async function until<T>(what: string, seconds: number, ask: () => Promise<T | undefined | false>): Promise<T> {
  for (const deadline = now() + seconds; ; ) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (now() > deadline) throw new Error(`waited in vain for ${seconds} s: ${what}`);
    await pause(0.3);
  }
}

const matches = ({ labels }: Pick<ActiveAlert, 'labels'>, wanted: Record<string, string | undefined>) =>
  Object.entries(wanted).every(([label, value]) => value === undefined || labels[label] === value);

/** The fault lasts some time after its alert, so that wrong alerts would fire. */
const lingering = 10;
const patience = 150;

interface Trial extends Omit<Plot, 'host'> {
  /** The exporter that reports it; undefined: none. */
  instance?: string;
  break(): Promise<void>;
  mend(): Promise<void>;
}

async function attempt(trial: Trial, servers: Servers, tell: (line: string) => void): Promise<Fault> {
  const { what, instance, alerts, cure } = trial;
  const names = Object.keys(alerts);
  const wanted = (alertname: string) => ({ alertname, instance, ...alerts[alertname] });
  const active = async (alertname: string) =>
    (await servers.alerts()).filter((alert) => matches(alert, wanted(alertname)));
  const passedOn = (status: string, alertname: string) =>
    until(`Alertmanager passes on that ${alertname} is ${status}`, patience, async () =>
      servers.received().some((one) => one.status === status && matches(one, wanted(alertname))),
    );

  const brokenAt = now();
  await trial.break();
  const since = now();
  await Promise.all(
    names.map(async (alertname) => {
      await until(`${alertname} fires after: ${what}`, patience, async () =>
        (await active(alertname)).some(({ state }) => state === 'firing'),
      );
      tell(`${alertname.padEnd(31)} fired ${(now() - since).toFixed(1).padStart(5)} s after: ${what}`);
      await passedOn('firing', alertname);
    }),
  );
  await pause(lingering);
  const mendedAt = now();
  await trial.mend();
  await Promise.all(
    names.map(async (alertname) => {
      await until(`${alertname} ends after: ${what}`, patience, async () => (await active(alertname)).length === 0);
      tell(`${alertname.padEnd(31)} ended ${(now() - mendedAt).toFixed(1).padStart(5)} s after: ${cure}`);
      await passedOn('resolved', alertname);
    }),
  );
  return {
    ...(instance === undefined ? {} : { instance }),
    what,
    alerts,
    brokenAt,
    mendedAt,
    quietAt: now() + interval,
  };
}

export type Cast = Record<HostName, Actor>;

/** On the main host all faults at once; on the others one by one. */
async function perform(cast: Cast, run: (trial: Trial) => Promise<Fault>): Promise<Fault[]> {
  const line = async (names: readonly PlotName[]) => {
    const faults: Fault[] = [];
    for (const plot of names) {
      const { host, ...rest } = plots[plot] as Plot;
      const actor = cast[host];
      const trial = {
        ...rest,
        instance: addresses[host],
        break: () => actor.break(plot),
        mend: () => actor.mend(plot),
      };
      faults.push(await run(trial));
    }
    return faults;
  };
  const names = Object.keys(plots) as PlotName[];
  const lines = (Object.keys(addresses) as HostName[]).flatMap((host) => {
    const here = names.filter((name) => plots[name].host === host);
    return host === 'main' ? here.map((name) => [name]) : [here];
  });
  return (await Promise.all(lines.map(line))).flat();
}

/** Removes all targets, as if service discovery had failed. */
function emptied(servers: Servers): Trial {
  return {
    what: 'an empty list of targets',
    alerts: { FilebeatPortExporterAbsent: { severity: 'critical' } },
    break: async () => servers.setTargets([]),
    cure: 'targets are back',
    mend: async () => servers.setTargets(Object.values(addresses)),
  };
}

function dashboard(): { where: string; expr: string }[] {
  const file = fileURLToPath(new URL('../../../../examples/grafana/filebeat-port-exporter.json', import.meta.url));
  return dashboardExpressions(JSON.parse(readFileSync(file, 'utf8')) as Dashboard, { __rate_interval: '10s' });
}

/** Executes every expression; returns those without a result. */
async function readDashboard(servers: Servers): Promise<{ all: number; empty: string[] }> {
  const expressions = dashboard();
  const empty: string[] = [];
  for (const { where, expr } of expressions) if ((await servers.query(expr)) === 0) empty.push(where);
  return { all: expressions.length, empty };
}

export interface Options {
  tell(line: string): void;
  /** False: without a check of the rules without one of them each. */
  mutants: boolean;
  /** Called while many faults exist. */
  whileBroken?: (servers: Servers) => Promise<void>;
}

export async function runAll(cast: Cast, servers: Servers, { tell, mutants, whileBroken }: Options): Promise<void> {
  const began = now();
  tell(`the example rules at ${haste} times their speed: one minute of theirs takes ${60 / haste} s here`);
  servers.setTargets(Object.values(addresses));
  await until('every exporter is scraped', 60, async () => (await servers.query('up == 1')) === 5);
  // Long enough for a rule that fires without a reason.
  await pause(8);
  assert.deepEqual(
    (await servers.alerts()).map((a) => a.labels),
    [],
    'nothing is told while all is well',
  );
  tell('all is well: no alert is pending or firing');

  const shown = (async () => {
    await pause(14);
    await whileBroken?.(servers);
    await pause(32);
    return readDashboard(servers);
  })();
  const faults = await perform(cast, (trial) => attempt(trial, servers, tell));
  const { all, empty } = await shown;
  tell(`dashboard: ${all} expressions executed without an error; without a result: ${empty.join('; ') || 'none'}`);
  assert.deepEqual(empty, [], 'every expression of the dashboard finds something');
  faults.push(await attempt(emptied(servers), servers, tell));

  const series = await servers.range('ALERTS{alertstate="firing"}', began, now());
  const firingOf = (mutant?: string): Series[] => series.filter(({ metric }) => metric['mutant'] === mutant);
  assert.deepEqual(complaints(firingOf(), faults), [], 'what fired is what the faults account for');
  if (!mutants) return;
  const unnoticed = ruleNames.filter((name) => {
    const [first] = complaints(firingOf(name), faults);
    tell(`without ${name}: ${first ?? 'nobody notices'}`);
    return first === undefined;
  });
  assert.deepEqual(unnoticed, [], 'no rule can be taken out unnoticed');
}
