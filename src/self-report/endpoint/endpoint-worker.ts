/**
 * The thread that queries stats endpoints. It reads and parses the answers, however large or slow they are; the scanning thread
 * gets a few hundred bytes of figures.
 */
import { parentPort } from 'node:worker_threads';
import { type EndpointResult, type EndpointTarget, queryEndpoint } from './endpoint-client.js';

export interface Question {
  id: number;
  target: EndpointTarget;
  withInputs: boolean;
}

export interface Reply {
  id: number;
  result: EndpointResult;
}

parentPort!.on('message', ({ id, target, withInputs }: Question) => {
  void queryEndpoint(target, withInputs).then((result) => parentPort!.postMessage({ id, result } satisfies Reply));
});
