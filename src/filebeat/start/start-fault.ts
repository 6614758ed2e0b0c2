/** Faults that end a start before Filebeat reads its inputs, in Filebeat's order. */
import type { Fault } from '../../model/model.js';
import { checkProcessors } from '../processors/processors.js';
import { applies } from '../releases/releases.js';
import { type Complaint, first } from '../tree/checks.js';
import { get } from '../tree/read.js';
import type { Tree } from '../tree/tree.js';
import { cloudBesideOutput, readCloud } from './cloud.js';
import { checkParts } from './kinds.js';
import { checkMonitoring } from './monitoring.js';
import { type Chosen, checkOutput, checkOutputPipeline, checkQueue, chosenOutput } from './output.js';
import { afterwards, main as mainParts } from './sections.js';
import {
  checkFolders,
  checkKeystore,
  checkManagement,
  checkMetricsPeriod,
  checkPolicyFile,
  checkTemplateName,
  checkTraceHosts,
} from './start-checks.js';
import type { StartContext } from './start-context.js';

/** The first fault outside of inputs and the stats endpoint for which Filebeat does not start. */
export function startFault(main: Tree, context: StartContext): Fault | undefined {
  const { scope, release } = context;
  const cloud = readCloud(main, '', scope);
  const choice = chosenOutput(main, scope);
  const output = choice && 'name' in choice ? choice : undefined;
  const refused = choice && !('name' in choice) ? choice : undefined;
  const withQueue = output && applies('output-queue', release) ? output : undefined;
  const complaint = first(
    () => checkFolders(main, context),
    () => checkKeystore(main, context),
    () => cloud.complaint,
    () => (cloud.id ? cloudBesideOutput(main, output) : undefined),
    () => checkParts(main, mainParts, scope, release),
    () => (refused?.fault.code === 'no-output' ? undefined : refused),
    () => withQueue && checkOutputPipeline(main, withQueue, context),
    () => checkManagement(main, context),
    () => checkParts(main, afterwards, scope, release),
    () => checkTraceHosts(main, context),
    () => checkPolicyFile(main, context),
    () => checkTemplateName(main, output, context),
    () => checkProcessors(main, context).made,
    () => checkChosen(main, output, refused, cloud.id, context),
    () => checkQueue(main, context),
    () => withQueue && checkQueue(withQueue.tree, context),
    () => checkMonitoring(main, output, context),
    () => checkMetricsPeriod(main, context),
  );
  return complaint?.fault;
}

/** With `cloud.id` Elasticsearch needs no section; but a disabled section stays disabled. */
function checkChosen(
  main: Tree,
  output: Chosen | undefined,
  refused: Complaint,
  hasCloud: boolean,
  context: StartContext,
): Complaint {
  if (output) return checkOutput(main, output, hasCloud, context);
  const section = get(main, 'output.elasticsearch', context.scope);
  return hasCloud && section.ok && !section.value ? undefined : refused;
}
