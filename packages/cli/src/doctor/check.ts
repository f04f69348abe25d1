/** One thing that a doctor has looked at. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** How it went, or why it failed. */
  readonly detail: string;
}

/** What was found out about one URL. */
export interface Examination {
  readonly url: string;
  readonly kind: 'application' | 'collector' | 'unknown';
  /** In the order they were made; the first that fails is the last. */
  readonly checks: readonly Check[];
  /** The dump of the staged hang, where one arrived. */
  readonly dumpId?: string | undefined;
}

/** Whether nothing failed. */
export const isHealthy = ({ checks }: Examination): boolean => checks.every(({ ok }) => ok);
