import type { FastifyInstance } from 'fastify';
import type { Context } from './context.ts';

/** The counters of the daemon as Prometheus reads them. */
export interface MetricsText {
  readonly contentType: string;
  text(): Promise<string>;
}

/** Adds `/metrics`, and tells of every request by its route: what a client chose never becomes a label. */
export function addMetricsRoute(app: FastifyInstance, { report }: Context, metrics: MetricsText | undefined): void {
  if (metrics === undefined) return;
  app.addHook('onResponse', (request, reply, done) => {
    report({
      type: 'request',
      method: request.method,
      route: request.routeOptions.url ?? '',
      code: reply.statusCode,
      milliseconds: reply.elapsedTime,
    });
    done();
  });
  app.route({
    method: 'GET',
    url: '/metrics',
    config: { right: 'metrics' },
    handler: async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  });
}
