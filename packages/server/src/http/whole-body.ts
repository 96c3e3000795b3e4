import type { IncomingMessage } from 'node:http';

/**
 * Looks at a small body that comes in one piece with its head, without the cost of a stream. `take` is given the
 * body and says whether it has answered. If not, or if the body is not all there by the end of this turn, the request
 * is as if nobody had touched it, and `leave` goes on with it.
 *
 * To be called in the very turn in which the server tells of the request: Node hands on the body (`push`) after that.
 */
export function takeWholeBody(
  request: IncomingMessage,
  bytes: number,
  take: (body: Buffer) => boolean,
  leave: () => void,
): void {
  let body: Buffer | null = null;
  let isOver = false;
  const giveBack = () => {
    isOver = true;
    Reflect.deleteProperty(request, 'push');
    if (body !== null) request.push(body);
  };
  const push = (piece: Buffer | null): boolean => {
    if (body === null && piece !== null && piece.length === bytes) {
      body = piece;
      return true;
    }
    if (body !== null && piece === null) {
      if (take(body)) {
        isOver = true;
        Reflect.deleteProperty(request, 'push');
        return true;
      }
    }
    giveBack();
    const isMoreWanted = request.push(piece);
    leave();
    return isMoreWanted;
  };
  Object.defineProperty(request, 'push', { value: push, configurable: true });
  // Node runs this between two pieces. A body that is whole is always followed by its end, in the same turn.
  process.nextTick(() => {
    if (isOver || body !== null) return;
    giveBack();
    leave();
  });
}
