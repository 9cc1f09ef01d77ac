import { encodeMessage } from '../hl7/charset.ts';
import { failure } from '../lib/errors.ts';
import { STEP_OK, type StepHandler } from './step.ts';

/** Sends the last generated message and waits for its acknowledgement. */
export const sendMllp: StepHandler<'SEND_MLLP'> = async (step, call, environment) => {
  const { message, accounts, patient } = call.state;
  if (!message) {
    const where = `step ${step.stepOrder} SEND_MLLP`;
    return failure(
      'TEMPLATE_INVALID',
      `${where}: no message was generated before it: add a GENERATE_HL7 step`,
    );
  }
  const { endpoint, timeoutMs } = step.parameters;
  const request = {
    message: encodeMessage(message.text),
    controlId: message.controlId,
    patientIndex: patient.index,
    timeoutMs,
  };
  const result = await environment.clients.mllp(endpoint).send(request, environment.signal);
  if (result.serviceUs !== null) {
    accounts.sutUs += result.serviceUs;
    environment.recorder.record('order_ack', result.serviceUs, result.ok);
  }
  return result.ok ? STEP_OK : failure(result.code, result.message, result.retryable);
};
