/**
 * The body as text, or null when it is longer: whoever answers may never come to an end.
 *
 * @throws TypeError when it is no UTF-8 or the connection breaks; the reason of the signal of the request
 */
export async function readBoundedText(response: Response, bytesMax: number): Promise<string | null> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const body = response.body as ReadableStream<Uint8Array> | null;
  const reader = body?.getReader();
  let [text, bytes] = ['', 0];
  for (;;) {
    const part = await reader?.read();
    if (part?.value === undefined) return text + decoder.decode();
    bytes += part.value.byteLength;
    if (bytes > bytesMax) {
      await reader?.cancel();
      return null;
    }
    text += decoder.decode(part.value, { stream: true });
  }
}
