/** `kerberos` of outputs (libbeat/common/transport/kerberos), and what Kafka's client requires in addition. */
import { posix } from 'node:path';
import { type Complaint, isEnabled, text, truth } from '../tree/checks.js';
import { positionOf, readAs, readText, toTree } from '../tree/read.js';
import { exactly, required, type Settings, section, under } from '../tree/setting-tables.js';
import { failure, type Tree } from '../tree/tree.js';
import type { Scope } from '../tree/variables.js';
import type { StartContext } from './start-context.js';

const reads: Settings = {
  enabled: truth,
  auth_type: required(exactly('password', 'keytab')),
  keytab: text,
  config_path: required(text),
  service_name: text,
  username: text,
  password: text,
  realm: required(text),
  enable_krb5_fast: truth,
};

/** Checked even if it is disabled. */
export const kerberos = section(reads, (inner, scope) => {
  const requiredKeys = readText(inner, 'auth_type', scope) === 'password' ? ['username', 'password'] : ['keytab'];
  return missing(inner, requiredKeys, scope);
});

function missing(section: Tree, keys: readonly string[], scope: Scope): Complaint {
  const absent = keys.find((key) => readText(section, key, scope) === '');
  return absent === undefined ? undefined : failure('missing-setting', section.at, absent);
}

function enabledSection(tree: Tree, { scope }: StartContext): Tree | undefined {
  const section = readAs(tree, 'kerberos', scope, toTree);
  return section && isEnabled(section, scope) ? section : undefined;
}

/**
 * A client of Elasticsearch loads both files when it is created. This reads only the first byte of a keytab, its
 * format.
 */
export function checkKerberosFiles(tree: Tree, context: StartContext): Complaint {
  const section = enabledSection(tree, context);
  if (!section) return undefined;
  const { scope, files, cwd } = context;
  const keys = readText(section, 'auth_type', scope) === 'keytab' ? ['config_path', 'keytab'] : ['config_path'];
  for (const key of keys) {
    const stated = readText(section, key, scope);
    if (!stated) continue;
    const head = files.head(posix.resolve(cwd, stated), 1);
    const at = positionOf(section, key);
    const subject = `kerberos.${key}`;
    if (!head.ok && head.gap.reason === 'missing') return failure('named-file-missing', at, subject);
    if (head.ok && key === 'keytab' && head.value[0] !== KEYTAB) return failure('no-keytab', at, subject);
  }
  return undefined;
}

/** First byte of a keytab, before its version. */
const KEYTAB = 5;

/** sarama (config.go, Validate) also requires service and user. It reads the files only when it connects. */
export function checkKafkaKerberos(tree: Tree, context: StartContext): Complaint {
  const section = enabledSection(tree, context);
  return section && under('kerberos', missing(section, ['service_name', 'username'], context.scope));
}
