/**
 * Every limit of the package reader. The sizes of the archive bound what one upload may cost us; the lengths of
 * the fields are those of nuget.org, so that a package accepted there is accepted here.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

// The archive.
export const MAX_ENTRIES = 20_000;
export const MAX_CENTRAL_DIRECTORY_BYTES = 4 * MIB;
export const MAX_UNCOMPRESSED_BYTES = 512 * MIB;
/** Plain bytes per compressed byte; small files may exceed it, because short runs of zeros pack well. */
export const MAX_COMPRESSION_RATIO = 200;
export const RATIO_FREE_BYTES = MIB;
export const MAX_ENTRY_NAME_CHARS = 260;
export const MAX_FUTURE_DATE_MS = 24 * 60 * 60 * 1000;
/** How long reading one package may take altogether. */
export const READ_DEADLINE_MS = 10_000;
export const LOCAL_WINDOW_BYTES = 64 * KIB;

// The manifest as XML.
export const MAX_NUSPEC_BYTES = MIB;
export const MAX_XML_DEPTH = 32;
export const MAX_XML_ATTRIBUTES = 64;
export const MAX_XML_NODES = 20_000;
export const XML_SLICE_CHARS = 16 * KIB;

// The fields of the manifest.
export const MAX_ID_CHARS = 100;
export const MAX_ID_AND_VERSION_CHARS = 160;
export const MAX_TEXT_CHARS = 4000;
export const MAX_TITLE_CHARS = 256;
export const MAX_LANGUAGE_CHARS = 20;
export const MAX_RELEASE_NOTES_CHARS = 35_000;
export const MAX_FILE_NAME_CHARS = 260;
export const MAX_LICENSE_CHARS = 500;
export const MAX_DEPENDENCY_ID_CHARS = 128;
export const MAX_DEPENDENCIES_TEXT_CHARS = 32_767;
export const MAX_FRAMEWORK_CHARS = 128;
export const MAX_FRAMEWORK_LIST_CHARS = 1024;
export const MAX_PACKAGE_TYPES = 32;
