/** Inputs that only some releases accept, of an instance whose release is unknown. Pure. */
import { endpointKey } from '../model/endpoint.js';
import type { Cause, Endpoint, Instance, Mismatch, PortVerdict, Refusal } from '../model/model.js';
import { instanceMismatch, plainFault, positionOf } from './judge-instance.js';

interface Judged {
  ports: PortVerdict[];
  mismatches: Mismatch[];
}

/**
 * Adds the doubts of a prediction. The kernel decides about a port: a doubt is evidence at a missing port, and is not reported
 * for a served one. Doubts without a port, and all doubts of an instance that is down, are mismatches of the instance.
 */
export function releaseDoubts(judged: Judged, instance: Instance): Judged {
  const { doubts = [] } = instance.prediction;
  if (doubts.length === 0) return judged;
  const isUp = new Map(judged.ports.map((port) => [endpointKey(port), port.up]));
  const isOpen = ({ costs = [] }: Refusal) =>
    instance.process === undefined ||
    costs.length === 0 ||
    costs.some((cost) => isUp.get(endpointKey(cost)) === undefined);
  const at = (endpoint: Endpoint) =>
    doubts.filter(({ costs = [] }) => costs.some((cost) => endpointKey(cost) === endpointKey(endpoint)));
  return {
    ports: judged.ports,
    mismatches: [
      ...judged.mismatches.map((m) => withEvidence(m, at)),
      ...doubts.filter(isOpen).map((doubt) =>
        instanceMismatch(instance, 'config_unresolved', {
          ...positionOf(doubt),
          cause: causeOf(doubt),
        }),
      ),
    ],
  };
}

const causeOf = (doubt: Refusal): Cause => ({ kind: 'config', fault: plainFault(doubt) });

function withEvidence(m: Mismatch, at: (endpoint: Endpoint) => Refusal[]): Mismatch {
  const { code, protocol, address, port } = m;
  if (code !== 'port_missing' || protocol === undefined || address === undefined) return m;
  const evidence = at({ protocol, address, ...(port === undefined ? {} : { port }) }).map(causeOf);
  return evidence.length === 0 ? m : { ...m, evidence };
}
