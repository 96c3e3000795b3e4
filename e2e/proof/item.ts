/** The suites of `npm test` that can bring evidence, by their names in `tools/suites.mjs`. */
export type ProofSuite =
  | 'vitest'
  | 'e2e'
  | 'e2e gallery'
  | 'nodes'
  | 'power cut'
  | 'notices'
  | 'matrix'
  | 'console'
  | 'proof'
  | 'proof timed';

/** The projects of `vitest` that can: those beside `unit` are the engines of the database. */
export const VITEST_PROJECTS = ['unit', 'sqlite', 'postgres'] as const;

/** Which files of a suite bring the evidence of an item. */
export interface ProofSource {
  readonly name: ProofSuite;
  /** Relative to the repository. */
  readonly files: readonly string[];
  /** Of `vitest` only: the projects in which the files run; all of these when it is left out. */
  readonly projects?: readonly (typeof VITEST_PROJECTS)[number][];
  /** It measures time: nothing may run beside it. All of `proof timed` does. */
  readonly isTimed?: true;
}

/** One line of the board. Its numbers are those that the security bar of the project has given them. */
export interface ProofItem {
  readonly number: number;
  /** What is promised, in a few words. */
  readonly title: string;
  /** The figures that have to come (`recordFigure`); one that does not come counts as not held. */
  readonly figures: readonly string[];
  /** The controls that have to come (`recordControl`), and to have failed. */
  readonly controls: readonly string[];
  /** What comes in the long form only. */
  readonly longFigures?: readonly string[];
  readonly longControls?: readonly string[];
  /** What comes only where the surroundings allow it, such as a registry that answers; judged when it comes. */
  readonly figuresWherePossible?: readonly string[];
  readonly suites: readonly ProofSource[];
}
