import type { Gallery } from './gallery.ts';
import { buildNupkg, type NupkgSpec } from './nupkg-builder.ts';

/** Reads of the V2 feed as clients send them. */
export interface FeedRequests {
  /** @param address below the source, with its query: `Search()?searchTerm='x'` */
  get(address: string, source?: string): ReturnType<Gallery['send']>;
  /** The body of an answer that must be 200. */
  read(address: string, source?: string): Promise<string>;
  publish(spec: NupkgSpec): Promise<Uint8Array>;
  setListed(id: string, version: string, isListed: boolean): Promise<void>;
}

export function createFeedRequests(gallery: Gallery, key: string): FeedRequests {
  const get: FeedRequests['get'] = (address, source = '/api/v2') =>
    gallery.send('GET', address === '' ? source : `${source}/${address}`);
  return {
    get,
    read: async (address, source) => {
      const answer = await get(address, source);
      if (answer.statusCode !== 200) throw new Error(`${address}: ${answer.statusCode} ${answer.body}`);
      return answer.body;
    },
    publish: async (spec) => {
      const bytes = buildNupkg(spec);
      const answer = await gallery.push(key, bytes);
      if (answer.statusCode !== 201)
        throw new Error(`${spec.id} ${spec.version}: ${answer.statusCode} ${answer.statusMessage}`);
      return bytes;
    },
    setListed: async (id, version, isListed) => {
      const answer = await gallery.send(
        isListed ? 'POST' : 'DELETE',
        `/api/v2/package/${id}/${version}`,
        key,
      );
      if (answer.statusCode >= 300) throw new Error(`${id} ${version}: ${answer.statusCode}`);
    },
  };
}
