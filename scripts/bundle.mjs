// Bundles the program, so that it runs without node_modules: into one file, whose threads run the same file with their name as
// argument, or into a folder, in which a thread loads nothing but its own part. That takes less memory and starts sooner.
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const top = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8'));

/** CommonJS packages load Node's own modules with `require`. */
const banner = "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire('/');";

/** Entry modules of threads, by name. */
const threads = {
  'worker.js': 'dist/src/scan/thread/worker.js',
  'bcrypt-worker.js': 'dist/src/web/bcrypt-worker.js',
  'endpoint-worker.js': 'dist/src/self-report/endpoint/endpoint-worker.js',
};

/** The entry of the single file: the program, or the module of a thread. */
const entry = `#!/usr/bin/env node
import { isMainThread } from 'node:worker_threads';
const thread = isMainThread ? '' : process.argv[2];
${Object.entries(threads)
  .map(([name, file]) => `if (thread === '${name}') await import(${JSON.stringify(join(top, file))});`)
  .join('\n')}
if (isMainThread) await import(${JSON.stringify(join(top, 'dist/src/main.js'))});
`;

/**
 * Replaces what a checkout reads from files beside the program: the version, and the files of threads. `threadAt`: what the
 * constructor of a thread gets instead of `new URL('./NAME', import.meta.url), {`.
 */
const inside = (threadAt) => ({
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
          return threadAt(name);
        },
      );
      if (/import\.meta(?!\.url\))/.test(contents)) throw new Error(`${path} reads a file that is not in the bundle`);
      return { contents };
    });
  },
});

async function bundled(options) {
  const { outputFiles, metafile } = await build({
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
    ...options,
  });
  for (const file of Object.keys(metafile.inputs)) {
    const [, folder] = /^(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file) ?? [];
    if (folder !== undefined) packages.add(folder);
  }
  return outputFiles.map(({ path, text }) => ({ path, text: ascii(text) }));
}

/**
 * V8 stores the source with two bytes for each character if one of them is not Latin-1. esbuild escapes such characters except in
 * regular expressions, where the same escapes are right.
 */
function ascii(text) {
  // An escaped character (`\µ`) would otherwise become an escaped backslash.
  return text.replace(
    /(\\*)([^\0-\x7f])/g,
    (_, slashes, unit) => `${slashes.slice(slashes.length % 2)}\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
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
  const [{ text }] = await bundled({
    stdin: { contents: entry, resolveDir: top, sourcefile: 'entry.mjs' },
    plugins: [inside((name) => `new URL(import.meta.url), { argv: ['${name}'],`)],
  });
  writeFileSync(file, text, { mode: 0o755 });
}

/**
 * Writes the program to a folder, as `NAME.mjs` and the parts that it loads. What a command or a page needs is loaded with it;
 * the parts of a thread are one file, since threads share no code in memory.
 */
export async function bundleFolder(folder, name) {
  const files = (entryPoints, splitting) =>
    bundled({
      entryPoints,
      splitting,
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      plugins: [inside((thread) => `new URL('./${thread.replace('.js', '.mjs')}', import.meta.url), {`)],
    });
  const ofThreads = Object.entries(threads).map(([thread, file]) => [basename(thread, '.js'), join(top, file)]);
  const outputs = [
    ...(await files({ [name]: join(top, 'dist/src/main.js') }, true)),
    ...(await files(Object.fromEntries(ofThreads), false)),
  ];
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  for (const { path, text } of outputs) {
    writeFileSync(path, text);
    chmodSync(path, basename(path) === `${name}.mjs` ? 0o755 : 0o644);
  }
}
