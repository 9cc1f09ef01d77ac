/** Private services for tests: each on a free loopback port, gone with the process that started it. */
export { startPythonHl7Receiver } from './hl7-receiver.ts';
export { startOrthanc } from './orthanc.ts';
export { startPostgres } from './postgres.ts';
export { without } from './programs.ts';
export { startPrivateRabbitmq, startRabbitmq } from './rabbitmq.ts';
export { startStorescp } from './storescp.ts';
