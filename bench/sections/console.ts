import { countScriptsOfVisitor } from '../../e2e/console/initial-scripts.ts';
import { openFreshSite } from '../subjects/keyreeve.ts';

/** Compressed JavaScript that a browser fetches until a page is at rest. */
export interface ConsolePage {
  readonly path: string;
  readonly bytes: number;
  readonly scripts: number;
}

/** Asks a real browser, which was never there before. */
export async function measureConsole(): Promise<ConsolePage[]> {
  const site = await openFreshSite();
  try {
    const pages: ConsolePage[] = [];
    for (const [path, cookie] of [
      ['/sign-in', null],
      ['/overview', site.cookie],
    ] as const) {
      const counted = await countScriptsOfVisitor(site.server.url, path, cookie);
      // The page would be that of a server without a console, and light indeed.
      if (counted.bytes === 0) throw new Error(`${path} loads no script: npm run build.`);
      pages.push({ path, ...counted });
    }
    return pages;
  } finally {
    await site.server.stop();
  }
}
