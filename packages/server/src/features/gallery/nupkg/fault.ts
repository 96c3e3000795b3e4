/** Why a package is refused. The codes are stable; the messages may change. */
export type NupkgFaultReason =
  | 'not_a_zip'
  | 'archive_empty'
  | 'archive_layout'
  | 'archive_zip64'
  | 'archive_too_large'
  | 'too_many_entries'
  | 'directory_too_large'
  | 'compression_ratio'
  | 'entry_header'
  | 'entry_name'
  | 'entry_duplicate'
  | 'entry_type'
  | 'entry_encrypted'
  | 'entry_method'
  | 'entry_size'
  | 'entry_future_date'
  | 'nuspec_missing'
  | 'nuspec_duplicate'
  | 'nuspec_too_large'
  | 'nuspec_damaged'
  | 'nuspec_encoding'
  | 'nuspec_xml'
  | 'nuspec_too_complex'
  | 'nuspec_namespace'
  | 'doctype'
  | 'element_duplicate'
  | 'id_invalid'
  | 'version_invalid'
  | 'field_missing'
  | 'field_too_long'
  | 'field_invalid'
  | 'dependency_invalid'
  | 'dependency_duplicate'
  | 'framework_invalid'
  | 'deadline';

/** What nuget.org says about a file that is no package; users know the sentence. */
export const UNREADABLE =
  'Failed to read the package file. Ensure it is a valid NuGet package with a valid manifest.';

/**
 * A package that is refused because of what it contains. `message` is public and becomes the HTTP reason phrase,
 * which is all that nuget.exe shows: printable ASCII, and never a text of the package itself, because PSResourceGet
 * chooses its advice by digits and words that it finds in the phrase.
 */
export class NupkgFault extends Error {
  readonly reason: NupkgFaultReason;

  constructor(reason: NupkgFaultReason, message: string = UNREADABLE, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NupkgFault';
    this.reason = reason;
  }
}

/** A number as messages spell it: `4,000`, since the digits `400` in a reason phrase are taken for a status. */
export function spellNumber(value: number): string {
  return value.toLocaleString('en-US');
}
