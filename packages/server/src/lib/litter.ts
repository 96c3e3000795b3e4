import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const COLLECT_EVERY_BYTES = 16 * 1024 * 1024;

let collect: (() => void) | null = null;
let bytes = 0;

/**
 * Tells that so many bytes in buffers were used up by a stream. Their memory lies outside the heap, where V8 lets
 * about 64 MiB of them pile up before it looks, and an upload would take that much of the machine for nothing. So
 * the young ones are collected now and then, which takes about a millisecond.
 */
export function noteLitter(count: number): void {
  bytes += count;
  if (bytes < COLLECT_EVERY_BYTES) return;
  bytes = 0;
  collect ??= loadCollector();
  collect();
}

/** The one way to V8's collector in a process that was started without a flag for it. */
function loadCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return () => {
    if (typeof gc === 'function') Reflect.apply(gc, undefined, [{ type: 'minor' }]);
  };
}
