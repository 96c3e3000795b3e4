import type { TownIcon } from './town-icons.ts';

export interface TownPackage {
  readonly id: string;
  readonly description: string;
  readonly tags?: string;
  /** Comment of the key that pushes. */
  readonly by: string;
  /** Oldest first, each with its age in days. */
  readonly versions: readonly (readonly [version: string, daysAgo: number])[];
  readonly unlisted?: readonly string[];
  readonly secondOwner?: string;
  /** What the manifest says beside, as XML. */
  readonly manifest?: string;
  readonly readme?: string;
  /** Without one, a page shows that of its kind. */
  readonly icon?: TownIcon;
  /** How often all of its versions together were fetched. */
  readonly downloads: number;
}

const RELEASE = 'Release pipeline';
const MODULE = 'PSModule PSEdition_Core';

const FACTORY_README = `# Hayama.DataFactory

Pipelines for factory data: read from the line, check, keep. **Steps** run in parallel, and a pipeline that was
stopped goes on where it was.

## Getting started

1. Add the package to a worker.
2. Name the line and its sensors in \`factory.json\`.
3. Start it.

\`\`\`csharp
var pipeline = Pipeline.For("line-7")
    .Read(Sensors.All)
    .Check(value => value.IsFinite)
    .Keep(Store.Default);
await pipeline.RunAsync(cancellation);
\`\`\`

| Step | Runs | Keeps |
|---|---|---|
| Read | in parallel | nothing |
| Check | in order | what it refused |
| Keep | in batches | everything |

> A line without a clock is read by the clock of the worker.

More is in [the handbook](https://factory.hayama.example/docs). ![Build state](https://ci.hayama.example/state.svg)

### 日本語

ラインのデータを読み取り、検査し、保存します。止まったところから再開できます。
`;

export const TOWN_PACKAGES: readonly TownPackage[] = [
  {
    id: 'Hayama.DataFactory',
    downloads: 306,
    icon: 'bars',
    description: 'Pipelines for factory data',
    by: 'CI publish: DataFactory',
    versions: [
      ['3.7.1', 81],
      ['3.7.2', 74],
      ['3.7.3', 59.4],
      ['3.7.4', 58],
      ['3.8.0-rc.2', 22],
      ['3.8.0', 15],
      ['3.8.1', 0.01],
    ],
    unlisted: ['3.7.3'],
    secondOwner: 'release-bot',
    manifest: `<projectUrl>https://factory.hayama.example/docs</projectUrl>
      <repository type="git" url="https://git.hayama.example/data/factory" />
      <license type="expression">Apache-2.0</license>
      <copyright>© Hayama K.K.</copyright>
      <releaseNotes>Pipelines resume where they stopped.\nThe retry policy is a setting of each step.</releaseNotes>
      <dependencies>
        <group targetFramework="net8.0"><dependency id="Hayama.Telemetry" version="[4.1.0, 5.0.0)" /></group>
        <group targetFramework="netstandard2.0">
          <dependency id="Hayama.Telemetry" version="4.1.0" /><dependency id="System.Text.Json" version="8.0.5" />
        </group>
      </dependencies>`,
    readme: FACTORY_README,
  },
  {
    id: 'Hayama.DataFactory.Cli',
    downloads: 74,
    icon: 'bars',
    description: 'Command line for DataFactory',
    by: 'CI publish: DataFactory',
    versions: [
      ['3.8.0', 15],
      ['3.8.1', 0.01],
    ],
  },
  {
    id: 'Hayama.DataFactoryV2.NetCore',
    downloads: 19,
    description: 'Early port, superseded',
    by: 'CI publish: DataFactory',
    versions: [
      ['0.9.0', 80],
      ['1.0.0', 79],
    ],
    unlisted: ['0.9.0', '1.0.0'],
  },
  {
    id: 'Hayama.Edge',
    downloads: 203,
    icon: 'ring',
    description: 'Runtime for edge devices',
    by: RELEASE,
    versions: [
      ['2.0.0', 90],
      ['2.0.1', 50],
      ['2.0.2', 20],
      ['2.0.3', 8],
    ],
    unlisted: ['2.0.0', '2.0.2'],
  },
  {
    id: 'Hayama.Edge.Gateway',
    downloads: 48,
    icon: 'ring',
    description: 'Protocol gateway',
    by: RELEASE,
    versions: [
      ['2.0.2', 20],
      ['2.0.3', 8],
    ],
    secondOwner: 'priya.raman@hayama.example',
  },
  {
    id: 'Hayama.Identity',
    downloads: 142,
    description: 'Sign-in helpers',
    by: 'Identity releases',
    versions: [
      ['1.13.0', 120],
      ['1.13.1', 64],
      ['1.14.0', 17],
    ],
    unlisted: ['1.13.0'],
  },
  {
    id: 'Hayama.Telemetry',
    downloads: 366,
    icon: 'wave',
    description: 'Metrics and traces',
    by: 'CI publish: DataFactory',
    versions: [
      ['4.1.0', 33],
      ['4.2.0', 6],
    ],
  },
  {
    id: 'Hayama.Telemetry.Otlp',
    downloads: 110,
    icon: 'wave',
    description: 'OTLP exporter',
    by: 'CI publish: DataFactory',
    versions: [['4.2.0', 6]],
  },
  {
    id: 'Hayama.Notebook',
    downloads: 12,
    description: 'Widgets and kernels for the notebook server',
    by: 'Notebook server',
    versions: [
      ['0.4.0', 90],
      ['0.5.0-beta.1', 12],
    ],
  },
  {
    id: 'HayamaDsc',
    downloads: 44,
    description: 'PowerShell DSC resources',
    tags: `${MODULE} PSEdition_Desktop DSC Configuration PSIncludes_Function PSFunction_Get-HayamaState PSCommand_Get-HayamaState PSFunction_Test-HayamaState PSCommand_Test-HayamaState PSIncludes_DscResource PSDscResource_HayamaService PSDscResource_HayamaCertificate`,
    by: 'PowerShell modules',
    versions: [
      ['0.9.0', 70],
      ['0.9.1', 30],
    ],
  },
  {
    id: 'HayamaTools',
    downloads: 234,
    icon: 'prompt',
    description: 'PowerShell module, 34 functions',
    tags: MODULE,
    by: 'PowerShell modules',
    versions: [
      ['2.5.0', 110],
      ['2.6.0', 24],
    ],
  },
];
