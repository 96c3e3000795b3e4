/** What a grant of an account or a scope of a key says: these actions, on resources that match. */
export interface Permission {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}
