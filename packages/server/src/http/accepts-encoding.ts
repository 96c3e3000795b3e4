/** RFC 9110 12.5.3: named, and not with a weight of zero, which forbids it. */
export function acceptsEncoding(encoding: 'br' | 'gzip', header: string | undefined): boolean {
  return (header ?? '').split(',').some((part) => {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    return name === encoding && !parameters.some((parameter) => /^q\s*=\s*0(?:\.0*)?$/.test(parameter));
  });
}
