// The tests on the real kernel that take minutes, with their counts: torn tables, reloads, the drop ledger, namespaces, privileges.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const top = fileURLToPath(new URL('..', import.meta.url));
const ready = spawnSync(process.execPath, ['scripts/ready.mjs'], { cwd: top, stdio: 'inherit' });
if (ready.status !== 0) process.exit(1);
const runs = ['torn', 'reload', 'ledger', 'namespaces', 'shared', 'privileges'];
const files = runs.map((name) => join('dist', 'test', 'live', `${name}.test.js`));
// The torn test runs at two rates with 5,000 scans each.
const env = { TORN_SCANS: '5000', RELOAD_SCANS: '1000', ...process.env };
const words = ['--test', '--test-concurrency=1', '--test-reporter=spec', ...files];
const { status } = spawnSync(process.execPath, words, { cwd: top, stdio: 'inherit', env });
process.exit(status ?? 1);
