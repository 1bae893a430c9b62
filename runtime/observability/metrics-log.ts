import type { MetricsLog as Settings } from "../config/schema/index.ts";
import { counters, type Family, type Figures, figuresOfGateway, figuresOfServer, type Growth } from "./log-figures.ts";

export interface MetricsLogOptions {
  /** The metrics of this process. */
  readonly read: () => Promise<readonly object[]>;
  /** Takes one line, without its end. */
  readonly write: (line: string) => void;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** A point of CloudWatch's usual resolution. */
const usualSeconds = 60;

/**
 * Metrics as lines of JSON on the standard output, from which CloudWatch makes metrics of its own where a log driver takes
 * them there (Embedded Metric Format, Amazon CloudWatch user guide). Counters are written as what was added since the line
 * before. Each server has a line, whose figures count for that server and for all together; the gateway has one.
 */
export class MetricsLog {
  readonly #namespace: string;
  readonly #options: MetricsLogOptions;
  /** Counters at the line before, by metric and labels: as many as the gateway's own series. */
  #before = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor({ namespace }: Settings, options: MetricsLogOptions) {
    this.#namespace = namespace;
    this.#options = options;
  }

  /** One that writes to the standard output by itself, until it is closed. */
  static start(settings: Settings, read: MetricsLogOptions["read"]): MetricsLog {
    const write = (line: string) => void process.stdout.write(`${line}\n`);
    const log = new MetricsLog(settings, { read, write, clock: Date.now });
    log.#timer = setInterval(() => void log.tell(), (settings.seconds ?? usualSeconds) * 1000).unref();
    return log;
  }

  /** Writes what has happened since the last time. */
  async tell(): Promise<void> {
    const families = new Map(((await this.#options.read()) as Family[]).map((family) => [family.name, family]));
    const now = this.#options.clock();
    const grown = this.#growth(families);
    for (const { labels } of families.get("mcp_server_health_status")?.values ?? []) {
      const server = String(labels.server);
      const own = grown.filter((one) => one.labels.server === server);
      this.#line(now, figuresOfServer(server, families, own), { server });
    }
    this.#line(now, figuresOfGateway(families, grown), {});
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** What has been added to each counter since the line before. */
  #growth(families: ReadonlyMap<string, Family>): Growth[] {
    const grown: Growth[] = [];
    const after = new Map<string, number>();
    for (const family of counters) {
      for (const { value, labels, metricName: name = family } of families.get(family)?.values ?? []) {
        const series = JSON.stringify([name, labels]);
        after.set(series, value);
        grown.push({ name, labels, added: value - (this.#before.get(series) ?? 0) });
      }
    }
    this.#before = after;
    return grown;
  }

  #line(timestamp: number, figures: Figures, dimensions: Readonly<Record<string, string>>): void {
    const names = Object.keys(dimensions);
    const directive = {
      Namespace: this.#namespace,
      Dimensions: names.length === 0 ? [[]] : [names, []],
      Metrics: Object.entries(figures).map(([Name, { unit: Unit }]) => ({ Name, Unit })),
    };
    const values = Object.fromEntries(Object.entries(figures).map(([name, { value }]) => [name, value]));
    const line = { _aws: { Timestamp: timestamp, CloudWatchMetrics: [directive] }, ...dimensions, ...values };
    this.#options.write(JSON.stringify(line));
  }
}
