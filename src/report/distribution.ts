import type { MetricValueWithName, Registry } from 'prom-client';

/**
 * A histogram without labels. What prom-client has costs microseconds for each value, since it looks for labels and
 * exemplars; on the path of a message this one costs a comparison per bucket.
 */
export class Distribution {
  readonly name: string;
  readonly help: string;
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  /** @param bounds upper bounds of the buckets, ascending */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name;
    this.help = help;
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.#sum += value;
    this.#count++;
    for (let at = 0; at < this.#bounds.length; at++) {
      if (value > this.#bounds[at]!) continue;
      this.#counts[at]!++;
      return;
    }
  }

  /** Lets a registry print it. */
  registerAt(registry: Registry): void {
    type Registered = Parameters<Registry['registerMetric']>[0];
    const { name, help } = this;
    // all that a registry asks of what it prints
    const metric = { name, help, get: () => ({ name, help, type: 'histogram', values: this.#values() }) };
    registry.registerMetric(metric as unknown as Registered);
  }

  #values(): MetricValueWithName<string>[] {
    let below = 0;
    const buckets = this.#bounds.map((bound, at) => {
      below += this.#counts[at]!;
      return { metricName: `${this.name}_bucket`, labels: { le: bound }, value: below };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_bucket`, labels: { le: '+Inf' }, value: this.#count },
      { metricName: `${this.name}_sum`, labels: {}, value: this.#sum },
      { metricName: `${this.name}_count`, labels: {}, value: this.#count },
    ];
  }
}
