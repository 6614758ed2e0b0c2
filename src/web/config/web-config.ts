/**
 * The web configuration file: exporter-toolkit's schema (docs/web-configuration.md there), text → WebConfig. Stricter
 * where the toolkit would silently serve less protection than the file seems to ask for.
 */
import { dirname, resolve } from 'node:path';
import { parseYaml } from '../../filebeat/yaml/yaml.js';
import { createFields, type Field, type Fields, type Problem } from './fields.js';
import { type RateLimit, readHttp, readRate } from './http-config.js';
import { readTls, type TlsConfig } from './tls-config.js';

export interface WebConfig {
  /** Absent: plain HTTP. */
  tls?: TlsConfig;
  /** Response headers, validated; they win over the application's own. */
  headers: ReadonlyMap<string, string>;
  /** User → bcrypt hash. Empty: nobody is asked. */
  users: ReadonlyMap<string, string>;
  rateLimit?: RateLimit;
  /** What is written down and says nothing: the file as a whole, or sections of it that protect. */
  blank: readonly Blank[];
  /** What is accepted and not done, in words, with key and line. */
  notices: Problem[];
}

export type Blank = 'file' | 'tls_server_config' | 'basic_auth_users';

export type WebConfigResult = { ok: true; config: WebConfig } | { ok: false; problems: Problem[] };

/** What the exporter does without a file. */
export const openConfig: WebConfig = { headers: new Map(), users: new Map(), blank: [], notices: [] };

const topKeys = ['tls_server_config', 'http_server_config', 'basic_auth_users', 'rate_limit'] as const;

/** bcryptjs needs about 70 ms at cost 10 and 4.6 s at 16; a scrape that waits longer has timed out. */
const highestCost = 16;

/**
 * Reads the file's bytes; `file` is its path, to which other paths in it are relative. Never throws, reads no file.
 * All problems are found in one go.
 */
export function parseWebConfig(bytes: Uint8Array, file: string): WebConfigResult {
  const parsed = parseYaml(bytes);
  if (!parsed.ok) {
    const { code, at } = parsed.fault;
    return { ok: false, problems: [{ key: '', ...lineOf(at?.line), what: `expected YAML (${code})` }] };
  }
  const problems: Problem[] = [];
  const notices: Problem[] = [];
  const fields = createFields(problems);
  const root: Field | undefined = parsed.root && { key: '', line: parsed.root.line, node: parsed.root };
  const top = fields.map(root, topKeys);
  const folder = dirname(resolve(file));
  const tls = readTls(fields, top.get('tls_server_config'), (path) => resolve(folder, path));
  const headers = readHttp(fields, top.get('http_server_config'), notices);
  const users = readUsers(fields, top.get('basic_auth_users'));
  const rateLimit = readRate(fields, top.get('rate_limit'));
  if (problems.length > 0) return { ok: false, problems };
  const blank: Blank[] = [];
  if (top.size === 0) blank.push('file');
  if (top.has('tls_server_config') && !tls) blank.push('tls_server_config');
  if (top.has('basic_auth_users') && users.size === 0) blank.push('basic_auth_users');
  const config: WebConfig = { headers, users, blank, notices };
  if (tls) config.tls = tls;
  if (rateLimit) config.rateLimit = rateLimit;
  if (users.size > 0 && !tls)
    notices.push({
      key: 'basic_auth_users',
      ...lineOf(top.get('basic_auth_users')?.line),
      what: 'without tls_server_config passwords cross the network in the clear',
    });
  return { ok: true, config };
}

/** User names are not repeated in problems: a swapped pair would show the password. */
function readUsers(fields: Fields, field: Field | undefined): Map<string, string> {
  const users = new Map<string, string>();
  const expected = `a bcrypt hash ($2a$, $2b$ or $2y$) of cost 4 to ${highestCost}`;
  for (const [name, entry] of fields.map(field)) {
    const hash = fields.text(entry, expected);
    if (name === '' || /[:\p{Cc}]/u.test(name)) fields.complain(entry, 'expected user names without a colon');
    else if (hash === undefined) {
      if (entry.node.kind === 'scalar' && entry.node.type === 'null') fields.complain(entry, `expected ${expected}`);
    } else {
      const cost = bcryptCost(hash);
      if (cost === undefined || cost < 4 || cost > highestCost) fields.complain(entry, `expected ${expected}`);
      else users.set(name, hash);
    }
  }
  return users;
}

/** log2 of the rounds; undefined when it is no bcrypt hash that can be checked. */
export function bcryptCost(hash: string): number | undefined {
  const cost = /^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}$/.exec(hash)?.[1];
  return cost === undefined ? undefined : Number(cost);
}

function lineOf(line: number | undefined): { line?: number } {
  return line === undefined ? {} : { line };
}
