import { fileURLToPath } from 'node:url';

const GENERATOR = fileURLToPath(new URL('../../examples/generators/orm-o01.hl7', import.meta.url));

/** A message, and a job that makes a study: nothing goes over a wire. */
export const JOBS_TEMPLATE = `
name: jobs
generators: {order: {file: ${GENERATOR}}}
steps:
  - {step_type: GENERATE_HL7, parameters: {generator_template_id: order}}
  - step_type: GENERATE_DICOM
    execution: async
    parameters: {count: 1, generate_pixels: false}
`;

/** A job that does nothing: what is left is the way of a job and its rows. */
export const EMPTY_JOBS_TEMPLATE = `
name: empty jobs
steps:
  - {step_type: WAIT, execution: async, parameters: {duration_seconds: 0}}
`;
