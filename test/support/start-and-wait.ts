/** Starts services and waits: the test of what becomes of them kills this process. */
import { startPrivatePostgres } from './postgres.ts';
import { startStorescp } from './storescp.ts';

const services = [await startStorescp(), await startPrivatePostgres()];
console.log(JSON.stringify(services.map((service) => service.port)));
setInterval(() => {}, 1000);
