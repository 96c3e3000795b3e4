import type { Page } from '@playwright/test';
import { buildNupkg, type NupkgSpec } from '../../packages/testkit/src/nupkg-builder.ts';

interface FieldWords {
  readonly file: string;
  readonly key: string;
}

/** A package as a person has one in a folder. */
export function packageFile(spec: NupkgSpec) {
  return {
    name: `${spec.id}.${spec.version}.nupkg`,
    mimeType: 'application/octet-stream',
    buffer: Buffer.from(buildNupkg(spec)),
  };
}

/** Chooses a file and a key in the dialog that checks a package. */
export async function choosePackage(
  page: Page,
  words: FieldWords,
  file: ReturnType<typeof packageFile>,
  keyComment: string,
): Promise<void> {
  const dialog = page.getByRole('dialog');
  const choosing = page.waitForEvent('filechooser');
  await dialog.getByRole('button', { name: words.file }).click();
  await (await choosing).setFiles(file);
  await dialog.getByRole('combobox', { name: words.key }).fill(keyComment);
  await page.getByRole('option', { name: keyComment }).first().click();
}
