import type { Generated } from 'kysely';

export interface PackagesTable {
  id: string;
  workspace_id: string;
  id_lower: string;
  display_id: string;
  created_at: number;
  /** Of the newest version, as are `description` and `tags`. */
  last_pushed_at: number;
  description: string | null;
  tags: string | null;
}

export interface PackageVersionsTable {
  id: string;
  workspace_id: string;
  package_id: string;
  version_lower: string;
  version: string;
  version_full: string;
  is_prerelease: number;
  is_semver2: number;
  listed: number;
  size_bytes: number;
  sha512: string;
  metadata: string;
  pushed_at: number;
  pushed_by: string;
  pushed_key_id: string | null;
}

/** Of each version what the feeds filter and sort by; the rest is in `package_versions`, under the same id. */
export interface FeedEntriesTable {
  id: string;
  workspace_id: string;
  package_id: string;
  id_lower: string;
  version_lower: string;
  /** With its metadata, in its own casing. */
  version_full: string;
  /** Sorts by bytes as NuGet sorts versions. */
  sort_key: string;
  listed: number;
  is_prerelease: number;
  is_semver2: number;
  /** The highest listed release, and the highest listed version of all. */
  is_latest: number;
  is_absolute_latest: number;
  /** The same among what clients before SemVer 2 can read. */
  is_latest_semver1: number;
  is_absolute_latest_semver1: number;
  pushed_at: number;
  title: string | null;
  /** Lower case, with a blank around each. */
  tags: string;
  /** Of the manifest, in the same form; empty when it names none, which makes it a dependency like most. */
  package_types: string;
  authors: string;
}

/** Of each version that some search shows: those with a flag of the latest. */
export interface PackageSearchTable {
  number: Generated<number>;
  entry_id: string;
  package_id: string;
  workspace_id: string;
  /** Id, title and description of the newest version, lower case. */
  words: string;
  tags: string;
}

export interface PackageOwnerRequestsTable {
  id: string;
  workspace_id: string;
  package_id: string;
  /** Who is to become an owner. */
  account_id: string;
  /** The owner who hands his ownership over; null when he is to be one more. */
  from_id: string | null;
  requested_by: string;
  created_at: number;
  expires_at: number;
}

export interface PackagePrefixesTable {
  id: string;
  workspace_id: string;
  /** A whole id, or the beginning of ids with a `*` behind it. */
  pattern: string;
  pattern_lower: string;
  created_at: number;
  created_by: string | null;
  version: number;
}

export interface PackageDeprecationsTable {
  version_id: string;
  workspace_id: string;
  package_id: string;
  /** JSON. */
  reasons: string;
  message: string | null;
  alternate_id: string | null;
  /** Null for any version. */
  alternate_version: string | null;
  deprecated_at: number;
  deprecated_by: string;
}
