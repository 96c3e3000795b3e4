/** One event of a `text/event-stream` (WHATWG HTML 9.2): its name, and its data in one text. */
export interface StreamEvent {
  readonly name: string;
  readonly data: string;
}

/** Ours have 200 characters; whoever sends more without an end is no server of ours. */
const EVENT_CHARACTERS_MAX = 65_536;

/**
 * The events of a stream as they come.
 *
 * @throws Error when an event is too long; TypeError when the bytes are no UTF-8 or the connection breaks
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const reader = body.getReader();
  let rest = '';
  let [name, data] = ['', ''];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const lines = rest.split(/\r?\n/);
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === '') {
          if (name !== '' || data !== '') yield { name, data };
          [name, data] = ['', ''];
        } else if (line.startsWith('event:')) name = line.slice(6).trim();
        else if (line.startsWith('data:')) data += line.slice(5).trim();
      }
      if (rest.length + name.length + data.length > EVENT_CHARACTERS_MAX)
        throw new Error('An event of the stream is too long.');
    }
  } finally {
    // Also when the reader of the events has had enough: the connection must not stay open.
    await reader.cancel().catch(() => {});
  }
}
