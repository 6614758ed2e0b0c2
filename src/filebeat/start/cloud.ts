/** `cloud.id` and `cloud.auth`, which replace the addresses and the login of Elasticsearch (libbeat/cloudid). */
import type { Complaint } from '../tree/checks.js';
import { positionOf, readText } from '../tree/read.js';
import { failure, type Tree } from '../tree/tree.js';
import type { Scope } from '../tree/variables.js';
import { badValue } from './kinds.js';
import type { Chosen } from './output.js';

/** `id`: whether `cloud.id` is set. A setting that cannot be evaluated counts as absent. */
export interface Cloud {
  id: boolean;
  complaint?: NonNullable<Complaint>;
}

/** `section` is `''` for the whole configuration, or `monitoring.`. */
export function readCloud(main: Tree, section: string, scope: Scope): Cloud {
  const [idKey, authKey] = [`${section}cloud.id`, `${section}cloud.auth`];
  const id = readText(main, idKey, scope);
  const auth = readText(main, authKey, scope);
  const refuse = (key: string, takes: string) => ({ id: Boolean(id), complaint: badValue(main, key, scope, takes) });
  if (auth && !id) return { id: false, complaint: failure('missing-setting', positionOf(main, authKey), idKey) };
  if (id && !decodes(id)) return refuse(idKey, 'the Cloud ID as Elastic Cloud shows it');
  if (auth && !auth.includes(':')) return refuse(authKey, 'a name and a password with a colon between them');
  return { id: Boolean(id) };
}

/** `label:BASE64`, which encodes `host$uuid$uuid`. */
function decodes(id: string): boolean {
  const encoded = id.slice(id.lastIndexOf(':') + 1);
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(encoded) || encoded.length % 4 !== 0) return false;
  return Buffer.from(encoded, 'base64').toString('latin1').split('$').length >= 3;
}

/** `cloud.id` selects Elasticsearch, so any other output conflicts with it. */
export function cloudBesideOutput(main: Tree, output: Chosen | undefined): Complaint {
  return output && output.name !== 'elasticsearch'
    ? failure('settings-exclude', positionOf(main, 'cloud.id'), 'cloud.id')
    : undefined;
}
