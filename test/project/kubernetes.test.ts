/** Checks the example DaemonSet against the types of the Kubernetes API with the compiler: every field, at every depth. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadAll } from 'js-yaml';

const top = fileURLToPath(new URL('../../../', import.meta.url));

/** Errors of the compiler for these documents as objects of their kinds; it refuses fields that a type does not have. */
function complaints(documents: readonly unknown[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'kubernetes-'));
  try {
    symlinkSync(join(top, 'node_modules'), join(folder, 'node_modules'));
    const lines = documents.map((one, i) => {
      const { apiVersion, kind } = one as { apiVersion: string; kind: string };
      assert.match(`${apiVersion} ${kind}`, /^[a-z]+\/v1 \w+$/);
      return `import type { ${kind} as Kind${i} } from 'kubernetes-types/${apiVersion}.js';\nexport const document${i}: Kind${i} = ${JSON.stringify(one)};`;
    });
    writeFileSync(join(folder, 'documents.ts'), lines.join('\n'));
    const compiler = join(top, 'node_modules', 'typescript', 'bin', 'tsc');
    const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--types', '', '--ignoreConfig'];
    const said = spawnSync(process.execPath, [compiler, ...flags, 'documents.ts'], { cwd: folder, encoding: 'utf8' });
    return said.status === 0 ? '' : `${said.stdout}${said.stderr}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const documents = () => loadAll(readFileSync(join(top, 'examples/kubernetes/daemonset.yml'), 'utf8'));

test('the DaemonSet is valid for Kubernetes', () => {
  assert.equal(complaints(documents()), '');
});

test('a misspelt field and a wrong type are found, however deep', () => {
  interface Pod {
    hostPid?: boolean;
    containers: { securityContext: { capabilities: { add: unknown } } }[];
  }
  const pod = (one: unknown) => (one as { spec: { template: { spec: Pod } } }).spec.template.spec;
  const misspelt = documents();
  pod(misspelt[0]).hostPid = true;
  assert.match(complaints(misspelt), /"hostPid"' does not exist/);
  const wrong = documents();
  pod(wrong[0]).containers[0]!.securityContext.capabilities.add = 'SYS_PTRACE';
  assert.match(complaints(wrong), /not assignable/);
});
