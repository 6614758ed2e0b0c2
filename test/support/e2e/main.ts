/**
 * `npm run test:e2e`: Debian's Prometheus and Alertmanager with our examples at 30 times their speed, five exporters, and
 * stand-in Filebeats with faults. Prints for each fault which alert fired after how many seconds.
 * `--screenshot FILE` saves a picture of Prometheus' alerts page, without the mutants.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { rootOnly } from '../needs.js';
import { hire } from './actor.js';
import { addresses, type HostName } from './plots.js';
import { type Cast, runAll } from './run.js';
import { type Servers, startServers } from './servers.js';

const inside = 'E2E_INSIDE';

/** What is missing on this machine; undefined: nothing. */
function lacking(): string | undefined {
  for (const program of ['prometheus', 'prometheus-alertmanager', 'ip', 'mount'])
    if (spawnSync(program, ['--version']).error !== undefined) return `${program} is not installed`;
  return 'skip' in rootOnly ? String(rootOnly.skip) : undefined;
}

/** Runs itself again with pid, network and mount namespaces of its own. */
function enter(): number {
  const unshare = ['--net', '--pid', '--fork', '--kill-child', '--mount-proc', process.execPath];
  const again = spawnSync('unshare', [...unshare, ...process.argv.slice(1)], {
    env: { ...process.env, [inside]: '1' },
    stdio: 'inherit',
  });
  return again.status ?? 1;
}

async function picture(servers: Servers, file: string): Promise<void> {
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await page.goto(`${servers.url}/classic/alerts`);
    await page.locator('tr.alert_header', { hasText: 'FilebeatPortTaken' }).click();
    await page.locator('.alert_elements_table:visible').first().waitFor();
    await page.screenshot({ path: file, fullPage: true });
  } finally {
    await browser.close();
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { screenshot: { type: 'string' } } });
  if (spawnSync('ip', ['link', 'set', 'lo', 'up']).status !== 0) throw new Error('lo does not come up');
  const folder = mkdtempSync(join(tmpdir(), 'e2e-servers-'));
  const hosts = Object.keys(addresses) as HostName[];
  const hired = await Promise.all(hosts.map(async (host) => [host, await hire(host)] as const));
  const cast = Object.fromEntries(hired) as Cast;
  const servers = await startServers(folder, { mutants: values.screenshot === undefined });
  try {
    await runAll(cast, servers, {
      tell: console.log,
      mutants: values.screenshot === undefined,
      ...(values.screenshot === undefined ? {} : { whileBroken: (s: Servers) => picture(s, values.screenshot!) }),
    });
    return 0;
  } catch (error) {
    console.error((error as Error).message);
    console.error(
      JSON.stringify(
        (await servers.alerts()).map(({ labels, state }) => ({ state, ...labels })),
        null,
        1,
      ),
    );
    return 1;
  } finally {
    await servers.stop();
    await Promise.all(hired.map(([, actor]) => actor.end()));
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.env[inside] === '1') process.exit(await main());
const missing = lacking();
if (missing === undefined) process.exitCode = enter();
else {
  console.log(`not run: ${missing}`);
  process.exitCode = process.env['CI'] ? 1 : 0;
}
