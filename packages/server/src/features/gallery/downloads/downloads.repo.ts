import type { Tx } from '../../../storage/index.ts';

/** Adds to the downloads of a version or of a package; other processes add to the same row. */
export async function addDownloads(
  tx: Tx,
  { id, workspaceId, count }: { id: string; workspaceId: string; count: number },
): Promise<void> {
  await tx
    .insertInto('package_downloads')
    .values({ id, workspace_id: workspaceId, downloads: count })
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet((eb) => ({ downloads: eb('package_downloads.downloads', '+', count) })),
    )
    .execute();
}
