import { asciiLower } from '../../../lib/ascii.ts';
import { legacyRangeText, parseVersionRange, type VersionRange } from '../version/nuget-version.ts';
import { NupkgFault, spellNumber } from './fault.ts';
import { MAX_DEPENDENCIES_TEXT_CHARS, MAX_FRAMEWORK_CHARS, MAX_FRAMEWORK_LIST_CHARS } from './limits.ts';
import { attributeOf, childOf } from './nuspec-fields.ts';
import type { XmlNode } from './nuspec-xml.ts';
import { isValidDependencyId } from './package-id.ts';

// Short names ("net45", "portable-net45+win8") and long ones (".NETFramework,Version=v4.5,Profile=Client").
const FRAMEWORK = /^[A-Za-z0-9.][A-Za-z0-9.,=+_ -]*$/;

export interface Dependency {
  readonly id: string;
  readonly range: VersionRange;
}

/** What a package needs on one framework; `null` stands for every framework. A group may be empty. */
export interface DependencyGroup {
  readonly targetFramework: string | null;
  readonly dependencies: readonly Dependency[];
}

export interface FrameworkAssembly {
  readonly assemblyName: string;
  readonly targetFramework: string | null;
}

export function readDependencyGroups(metadata: XmlNode): DependencyGroup[] {
  const element = childOf(metadata, 'dependencies');
  if (element === null) return [];
  const groupNodes = element.children.filter((child) => child.name === 'group');
  const hasFlat = element.children.some((child) => child.name === 'dependency');
  if (hasFlat && groupNodes.length > 0) {
    throw dependencyFault('Put all dependencies into groups, or none.');
  }
  const groups = groupNodes.map((node) => ({
    targetFramework: readFramework(node),
    dependencies: readGroup(node),
  }));
  if (hasFlat) groups.push({ targetFramework: null, dependencies: readGroup(element) });
  if (flattenDependencies(groups).length > MAX_DEPENDENCIES_TEXT_CHARS) {
    const limit = spellNumber(MAX_DEPENDENCIES_TEXT_CHARS);
    throw dependencyFault(`Together they are too long: at most ${limit} characters are allowed.`);
  }
  return groups;
}

export function readFrameworkAssemblies(metadata: XmlNode): FrameworkAssembly[] {
  const element = childOf(metadata, 'frameworkAssemblies');
  if (element === null) return [];
  return element.children
    .filter((child) => child.name === 'frameworkAssembly')
    .map((node) => {
      const assemblyName = attributeOf(node, 'assemblyName', MAX_FRAMEWORK_LIST_CHARS);
      if (assemblyName === null) {
        throw new NupkgFault(
          'field_missing',
          'A framework assembly of the manifest lacks "assemblyName". Add it.',
        );
      }
      return { assemblyName, targetFramework: readFramework(node, MAX_FRAMEWORK_LIST_CHARS) };
    });
}

/** The dependencies in one text, as the V2 feed carries them: `id:range:framework`, joined by a bar. */
export function flattenDependencies(groups: readonly DependencyGroup[]): string {
  return groups
    .flatMap(({ targetFramework, dependencies }) => {
      const framework = targetFramework ?? '';
      if (dependencies.length === 0) return [`::${framework}`];
      return dependencies.map(({ id, range }) => `${id}:${legacyRangeText(range)}:${framework}`);
    })
    .join('|');
}

function readGroup(parent: XmlNode): Dependency[] {
  const seen = new Set<string>();
  const dependencies: Dependency[] = [];
  for (const node of parent.children) {
    if (node.name !== 'dependency') continue;
    const dependency = readDependency(node);
    const key = asciiLower(dependency.id);
    if (seen.has(key)) {
      throw new NupkgFault(
        'dependency_duplicate',
        'The manifest names a dependency twice in one group (upper and lower case do not count). Remove one.',
      );
    }
    seen.add(key);
    dependencies.push(dependency);
  }
  return dependencies;
}

function readDependency(node: XmlNode): Dependency {
  const id = (node.attributes.get('id') ?? '').trim();
  if (!isValidDependencyId(id)) {
    throw dependencyFault('Each needs an id of letters, digits and "_", joined by single "." or "-".');
  }
  const range = parseVersionRange(node.attributes.get('version') ?? '');
  if (range === null) {
    throw dependencyFault(
      'Write each version as 1.0, [1.0] or [1.0,2.0): without wildcards, metadata or unreplaced tokens.',
    );
  }
  return { id, range };
}

function readFramework(node: XmlNode, maxChars: number = MAX_FRAMEWORK_CHARS): string | null {
  const framework = attributeOf(node, 'targetFramework', maxChars);
  if (framework !== null && !FRAMEWORK.test(framework)) {
    throw new NupkgFault(
      'framework_invalid',
      'A target framework of the manifest is not valid. Use a name such as net8.0 or netstandard2.0.',
    );
  }
  return framework;
}

function dependencyFault(remedy: string): NupkgFault {
  return new NupkgFault('dependency_invalid', `The dependencies of the manifest are not valid. ${remedy}`);
}
