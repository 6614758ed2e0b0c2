// Rewrites all pictures in docs/screenshots: pages by the browser tests (needs chromium), alerts by the end-to-end test with a real
// Prometheus (needs root, prometheus and prometheus-alertmanager). `npm run screenshots -- FOLDER` writes them to another folder.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const top = fileURLToPath(new URL('..', import.meta.url));
const folder = resolve(process.argv[2] ?? join(top, 'docs', 'screenshots'));
mkdirSync(folder, { recursive: true });

const node = (args, env = {}) =>
  spawnSync(process.execPath, args, {
    cwd: top,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...env },
  }).status === 0;

const made = {
  pages: node(['--test', 'dist/test/live/page-browser.test.js'], { CI: 'true', UPDATE_SCREENSHOTS: folder }),
  'alerts of Prometheus': node([
    'dist/test/support/e2e/main.js',
    '--screenshot',
    join(folder, 'prometheus-alerts.png'),
  ]),
};
for (const [what, done] of Object.entries(made)) console.log(`${what}: ${done ? 'made' : 'FAILED'}`);
console.log(
  readdirSync(folder)
    .map((name) => join(folder, name))
    .join('\n'),
);
process.exitCode = Object.values(made).every(Boolean) ? 0 : 1;
