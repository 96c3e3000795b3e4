import type { MetricObject } from './metrics.ts';

/**
 * What the primary tells a worker. Over a rolling restart a primary talks to workers of another release: a kind is
 * never given another meaning, and one that is not known is passed over.
 */
export type ToWorker =
  /** The answer to `hello`. The first worker of all brings the database up to date and makes the first administrator. */
  | { readonly kind: 'start'; readonly port: number; readonly isFirst: boolean }
  | { readonly kind: 'run jobs' }
  | { readonly kind: 'stop jobs' }
  /** Another worker has taken its place. */
  | { readonly kind: 'retire' }
  /** The whole server ends. */
  | { readonly kind: 'stop' }
  /** To be answered by `done` with the same id, as are the next two. */
  | { readonly kind: 'ping'; readonly id: number }
  | { readonly kind: 'drop epochs'; readonly id: number; readonly workspaceIds: readonly string[] }
  | { readonly kind: 'tell metrics'; readonly id: number }
  /** The answers to `raised` and `metrics wanted`, with the id that the worker chose. */
  | { readonly kind: 'told'; readonly id: number }
  | { readonly kind: 'all metrics'; readonly id: number; readonly text: string };

/** What a worker tells the primary. */
export type ToPrimary =
  | { readonly kind: 'hello' }
  /** Said before it listens: from here on it may answer, and keep what it has read. */
  | { readonly kind: 'opening' }
  /** It listens. `lines` are for the operator to read. */
  | { readonly kind: 'ready'; readonly lines: readonly string[] }
  | { readonly kind: 'jobs stopped' }
  /** A commit of this worker has raised the epochs of these workspaces. */
  | { readonly kind: 'raised'; readonly id: number; readonly workspaceIds: readonly string[] }
  | { readonly kind: 'metrics wanted'; readonly id: number }
  | { readonly kind: 'done'; readonly id: number; readonly metrics?: readonly MetricObject[] }
  /** The last thing that it says: what it has counted is not lost with it. */
  | { readonly kind: 'farewell'; readonly metrics: readonly MetricObject[] };
