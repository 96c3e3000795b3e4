import { describe, expect, it } from 'vitest';
import { buildNuspec } from '../../../../testkit/src/nupkg-builder.ts';
import { toStoredMetadata } from './gallery.metadata.ts';
import { parseNuspec } from './nupkg/nuspec.ts';
import { createPace } from './nupkg/pace.ts';
import { parseVersionRange } from './version/nuget-version.ts';

describe('toStoredMetadata', () => {
  it.each(['', '1.0', '[1.0]', '[1.0,2.0)', '(,2.0]', '(1.0,)', '[1.0-a.b,)'])(
    'stores the range "%s" in a form that reads as the same range again',
    async (version) => {
      const dependencies = [{ id: 'Other', ...(version === '' ? {} : { version }) }];
      const nuspec = await parseNuspec(
        new TextEncoder().encode(buildNuspec({ id: 'A', version: '1.0', dependencies })),
        createPace(1_000),
      );
      const container = {
        entryCount: 1,
        uncompressedBytes: 1,
        isSigned: false,
        nuspecBytes: Buffer.from(''),
        sizeBytes: 1,
      };
      const stored = toStoredMetadata({ ...nuspec, ...container });
      const [range = 'none'] = stored.dependencyGroups.flatMap((group) =>
        group.dependencies.map((dependency) => dependency.range),
      );
      expect(parseVersionRange(range)).toEqual(parseVersionRange(version));
      expect(JSON.parse(JSON.stringify(stored))).toEqual(stored);
    },
  );
});
