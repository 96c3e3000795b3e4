export { createFeedService, type FeedService } from './feed.service.ts';
export { registerGalleryRoutes } from './gallery.routes.ts';
export { createGalleryService, type GalleryService } from './gallery.service.ts';
export { type BlobSweeper, createBlobSweeper } from './gallery.sweep.ts';
export { normalizeGalleryUrl } from './gallery.url.ts';
export { registerPackageRoutes } from './packages.routes.ts';
export { createPackagesService, type PackagesService } from './packages.service.ts';
export { createFindKeyStops } from './packages-of-key.ts';
