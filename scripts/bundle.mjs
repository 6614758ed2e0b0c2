// Bundles the program into one file that runs without node_modules. Its threads run the same file with their name as argument.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const top = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8'));

/** CommonJS packages load Node's own modules with `require`. */
const banner = `#!/usr/bin/env node
import { createRequire as __createRequire } from 'node:module'; const require = __createRequire('/');`;

/** Entry modules of threads, by name. */
const threads = {
  'worker.js': 'dist/src/scan/thread/worker.js',
  'bcrypt-worker.js': 'dist/src/web/bcrypt-worker.js',
  'endpoint-worker.js': 'dist/src/self-report/endpoint/endpoint-worker.js',
};

/** The entry of the bundle: the program, or the module of a thread. */
const entry = `
import { isMainThread } from 'node:worker_threads';
const thread = isMainThread ? '' : process.argv[2];
${Object.entries(threads)
  .map(([name, file]) => `if (thread === '${name}') await import(${JSON.stringify(join(top, file))});`)
  .join('\n')}
if (isMainThread) await import(${JSON.stringify(join(top, 'dist/src/main.js'))});
`;

/** Replaces what a checkout reads from files beside the program: the version, and the files of threads (the bundle itself). */
const inside = {
  name: 'inside',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/ }, ({ path }) => {
      if (path.includes('/node_modules/')) return undefined;
      if (path.endsWith('/src/cli/version.js'))
        return { contents: `export const version = ${JSON.stringify(version)};` };
      const contents = readFileSync(path, 'utf8').replace(
        /new URL\('\.\/([\w-]+\.js)', import\.meta\.url\), \{/g,
        (_, name) => {
          if (threads[name] === undefined) throw new Error(`${path}: ${name} is not in the list of threads`);
          return `new URL(import.meta.url), { argv: ['${name}'],`;
        },
      );
      if (/import\.meta(?!\.url\))/.test(contents)) throw new Error(`${path} reads a file that is not in the bundle`);
      return { contents };
    });
  },
};

async function bundled() {
  const { outputFiles, metafile } = await build({
    stdin: { contents: entry, resolveDir: top, sourcefile: 'entry.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    minifySyntax: true,
    minifyWhitespace: true,
    write: false,
    metafile: true,
    absWorkingDir: top,
    logLevel: 'error',
    banner: { js: banner },
    plugins: [inside],
  });
  for (const file of Object.keys(metafile.inputs)) {
    const [, folder] = /^(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file) ?? [];
    if (folder !== undefined) packages.add(folder);
  }
  return outputFiles[0].contents;
}

/** Folders of the packages in the bundle. */
const packages = new Set();

/** Name, version and license text of every package in the bundle. */
export function licences() {
  return [...packages].sort().map((folder) => {
    const { name, version: release, license } = JSON.parse(readFileSync(join(top, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(top, folder)).find((one) => /^(licen[cs]e|copying)(\.|$)/i.test(one));
    const text = file === undefined ? '' : `\n\n${readFileSync(join(top, folder, file), 'utf8').trim()}`;
    return `${name} ${release}: ${license}${text}\n`;
  });
}

/** Writes the program to `file`, whose name must end in `.mjs`. Needs `dist` to be up to date. */
export async function bundle(file) {
  writeFileSync(file, await bundled(), { mode: 0o755 });
}
