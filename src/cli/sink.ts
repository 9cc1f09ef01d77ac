import { resolve } from 'node:path';
import { starterGone } from '../lib/starter.ts';
import type { SinkCounts, SinkMessage } from '../roles/sink-process.ts';
import { createDicomSink, type DICOM_FAULTS } from '../sink/dicom-sink.ts';
import type { FaultPlan } from '../sink/fault-plan.ts';
import { createMllpSink, type MLLP_FAULTS } from '../sink/mllp-sink.ts';
import { createOrderBook } from '../sink/order-book.ts';
import { formatBytes, formatCount } from './format.ts';
import { onInterrupt } from './interrupt.ts';

export interface SinkOptions {
  host: string;
  mllpPort: number;
  dicomPort: number;
  /** Null accepts every called AE title. */
  aeTitle: string | null;
  keepDir: string | null;
  mllpFaults: FaultPlan<keyof typeof MLLP_FAULTS>;
  dicomFaults: FaultPlan<keyof typeof DICOM_FAULTS>;
  quiet: boolean;
}

/** Receives HL7 and DICOM until it is interrupted, then says how much. @returns the exit code */
export async function sink(options: SinkOptions): Promise<number> {
  const { host, quiet } = options;
  const keepDir = options.keepDir === null ? null : resolve(options.keepDir);
  const orders = createOrderBook();
  await using mllp = await createMllpSink({
    host,
    port: options.mllpPort,
    keepDir: keepDir && resolve(keepDir, 'hl7'),
    onAccepted: orders.take,
    faultPlan: options.mllpFaults,
  });
  await using dicom = await createDicomSink({
    host,
    port: options.dicomPort,
    ...(options.aeTitle === null ? {} : { aeTitle: options.aeTitle }),
    keepDir: keepDir && resolve(keepDir, 'dicom'),
    orders,
    faultPlan: options.dicomFaults,
  });
  const stopped = interrupted();
  if (!quiet) {
    process.stdout.write(
      `MLLP on ${host}:${mllp.port}, DICOM storage on ${host}:${dicom.port}, with worklist and MPPS\n`,
    );
    process.stdout.write('Ctrl-C stops and prints the counts\n');
  }
  tell({ type: 'ready', ports: { mllpPort: mllp.port, dicomPort: dicom.port } });
  await stopped;
  const received = await mllp.close();
  const stored = await dicom.close();
  const counts: SinkCounts = {
    messages: received.received,
    messageBytes: received.bytes,
    associations: stored.associations,
    instances: stored.instances,
    instanceBytes: stored.bytes,
    worklistQueries: stored.finds,
    performedSteps: stored.performedSteps.begun,
  };
  tell({ type: 'counts', counts });
  if (!quiet) process.stdout.write(`${formatCounts(counts)}\n`);
  return 0;
}

function tell(message: SinkMessage): void {
  // Who started this process may have gone meanwhile.
  process.send?.(message, undefined, undefined, () => {});
}

/** Ctrl-C, SIGTERM, or the end of the process that started this one. */
function interrupted(): Promise<void> {
  const asked = new Promise<void>((resolve) => onInterrupt(resolve));
  return Promise.race([asked, starterGone()]);
}

function formatCounts(counts: SinkCounts): string {
  const { worklistQueries, performedSteps } = counts;
  return [
    `received ${formatCount(counts.messages)} messages (${formatBytes(counts.messageBytes)})`,
    `${formatCount(counts.associations)} associations`,
    `${formatCount(counts.instances)} instances (${formatBytes(counts.instanceBytes)})`,
    ...(worklistQueries > 0 ? [`${formatCount(worklistQueries)} worklist queries`] : []),
    ...(performedSteps > 0 ? [`${formatCount(performedSteps)} performed procedure steps`] : []),
  ].join(', ');
}
