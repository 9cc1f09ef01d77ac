import { accountRoutes } from './accounts.ts';
import { endpointRoutes } from './endpoints.ts';
import { generatorRoutes } from './generators.ts';
import { toolRoutes } from './hl7-tools.ts';
import { metricRoutes } from './metrics.ts';
import { queueRoutes } from './queues.ts';
import { runRoutes } from './runs.ts';
import { scalingRoutes } from './scaling.ts';
import { systemRoutes } from './system.ts';
import { templateRoutes } from './templates.ts';

/** Every route of the server: validation, types, OpenAPI, the documentation and the tests read it here. */
export const ROUTES = {
  ...accountRoutes,
  ...generatorRoutes,
  ...templateRoutes,
  ...endpointRoutes,
  ...runRoutes,
  ...metricRoutes,
  ...scalingRoutes,
  ...queueRoutes,
  ...toolRoutes,
  ...systemRoutes,
} as const;

export type Routes = typeof ROUTES;
export type RouteName = keyof Routes;
