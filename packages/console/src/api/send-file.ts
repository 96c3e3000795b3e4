export interface FileToSend {
  readonly file: Blob;
  /** Called with the bytes that have left. */
  readonly onProgress: (sentBytes: number) => void;
}

function toHeaders(text: string): Headers {
  const headers = new Headers();
  for (const line of text.trim().split(/\r?\n/)) {
    const [name = '', ...rest] = line.split(':');
    if (name !== '') headers.append(name.trim(), rest.join(':').trim());
  }
  return headers;
}

/**
 * Sends a request with a file as its body, and tells how far it is, which `fetch` does not. The file is read from
 * the disk as it goes. Rejects as `fetch` does.
 */
export async function sendFile(request: Request, { file, onProgress }: FileToSend): Promise<Response> {
  request.signal.throwIfAborted();
  return await new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open(request.method, request.url);
    for (const [name, value] of request.headers) call.setRequestHeader(name, value);
    call.setRequestHeader('content-type', 'application/octet-stream');
    const abort = () => call.abort();
    request.signal.addEventListener('abort', abort);
    call.upload.addEventListener('progress', ({ loaded }) => onProgress(loaded));
    call.addEventListener('load', () =>
      resolve(
        new Response(call.responseText, {
          status: call.status,
          headers: toHeaders(call.getAllResponseHeaders()),
        }),
      ),
    );
    call.addEventListener('error', () => reject(new TypeError('The connection broke.')));
    call.addEventListener('abort', () => reject(request.signal.reason));
    call.addEventListener('loadend', () => request.signal.removeEventListener('abort', abort));
    call.send(file);
  });
}
