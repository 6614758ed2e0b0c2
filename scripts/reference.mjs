// Rewrites the generated tables in docs/: flags, metrics, Filebeat releases.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { withTables } from '../dist/src/cli/reference/document.js';

const docs = new URL('../docs/', import.meta.url);
for (const name of readdirSync(docs).filter((file) => file.endsWith('.md'))) {
  const file = new URL(name, docs);
  const before = readFileSync(file, 'utf8');
  const after = withTables(before);
  if (after === before) continue;
  writeFileSync(file, after);
  console.log(`docs/${name} written`);
}
