/** Why a listener is not one known socket, as clauses. Pure. */
import type { InvalidWhy, UnresolvedWhy } from '../model/model.js';

/** The exporter cannot determine it. */
export const unresolvedClauses: Record<UnresolvedWhy, string> = {
  keystore: 'it depends on a name that only the keystore can define, and only that Filebeat can open the keystore',
  variable: 'it depends on a variable whose value cannot be seen from outside',
  'service-name': 'its port is a service name, and /etc/services could not be read',
  ambiguous:
    'its settings are incomplete, or written twice in different spellings, of which Filebeat picks one by chance',
};

/** Filebeat can never bind it. */
export const invalidClauses: Record<InvalidWhy, string> = {
  'missing-port': 'the host has no port (“host:port” is expected)',
  'too-many-colons': 'the host has too many colons; an IPv6 address belongs in brackets',
  'bad-port': 'the port is not a number from 0 to 65535',
  'unknown-service': 'the port is a service name that is not in /etc/services',
  'bad-host': 'the host is neither an address nor a name',
  'no-such-name': 'the host is a name that does not exist',
  'wrong-family': 'the address is not of the family that “network” requires',
  'bad-option': 'an option of the input is invalid, so it fails before it binds',
};

/** A clause as a sentence. */
export function sentence(clause: string): string {
  return `${clause.charAt(0).toUpperCase()}${clause.slice(1)}.`;
}
