/**
 * The thread that asks stats endpoints. Whatever an endpoint answers, and however slowly, is read and parsed here: the thread
 * that scans gets some hundred bytes of figures.
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
