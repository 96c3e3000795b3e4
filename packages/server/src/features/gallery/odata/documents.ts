import { FEED_PROPERTIES, PROPERTY_NAMES } from './properties.ts';
import { escapeXml } from './xml.ts';

export const DECLARATION = '<?xml version="1.0" encoding="utf-8"?>';
export const METADATA_NAMESPACE = 'http://schemas.microsoft.com/ado/2007/08/dataservices/metadata';
export const DATA_NAMESPACE = 'http://schemas.microsoft.com/ado/2007/08/dataservices';

/** What a client reads first: PowerShellGet takes a source for V2 when this begins with `<?xml`. */
export function writeServiceDocument(feedUrl: string): string {
  return (
    `${DECLARATION}<service xml:base="${escapeXml(feedUrl)}/" xmlns="http://www.w3.org/2007/app" ` +
    'xmlns:atom="http://www.w3.org/2005/Atom"><workspace><atom:title>Default</atom:title>' +
    '<collection href="Packages"><atom:title>Packages</atom:title></collection></workspace></service>'
  );
}

const FUNCTIONS = {
  Search: [
    ['searchTerm', 'String'],
    ['targetFramework', 'String'],
    ['includePrerelease', 'Boolean'],
  ],
  FindPackagesById: [['id', 'String']],
  GetUpdates: [
    ['packageIds', 'String'],
    ['versions', 'String'],
    ['includePrerelease', 'Boolean'],
    ['includeAllVersions', 'Boolean'],
    ['targetFrameworks', 'String'],
    ['versionConstraints', 'String'],
  ],
} as const;

function writeMetadataDocument(): string {
  const properties = PROPERTY_NAMES.map((name) => {
    const { type, isNullable } = FEED_PROPERTIES[name];
    return `<Property Name="${name}" Type="Edm.${type}"${isNullable ? '' : ' Nullable="false"'}/>`;
  });
  const functions = Object.entries(FUNCTIONS).map(([name, parameters]) => {
    const written = parameters.map(([parameter, type]) => {
      const nullable = type === 'Boolean' ? ' Nullable="false"' : '';
      return `<Parameter Name="${parameter}" Type="Edm.${type}"${nullable}/>`;
    });
    return (
      `<FunctionImport Name="${name}" ReturnType="Collection(NuGetGallery.OData.V2FeedPackage)" ` +
      `EntitySet="Packages" m:HttpMethod="GET">${written.join('')}</FunctionImport>`
    );
  });
  return (
    `${DECLARATION}<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx">` +
    `<edmx:DataServices m:DataServiceVersion="2.0" m:MaxDataServiceVersion="2.0" xmlns:m="${METADATA_NAMESPACE}">` +
    '<Schema Namespace="NuGetGallery.OData" xmlns="http://schemas.microsoft.com/ado/2006/04/edm">' +
    '<EntityType Name="V2FeedPackage" m:HasStream="true"><Key><PropertyRef Name="Id"/><PropertyRef Name="Version"/></Key>' +
    `${properties.join('')}</EntityType>` +
    '<EntityContainer Name="V2FeedContext" m:IsDefaultEntityContainer="true">' +
    '<EntitySet Name="Packages" EntityType="NuGetGallery.OData.V2FeedPackage"/>' +
    `${functions.join('')}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>`
  );
}

/** `$metadata`. nuget.exe looks in it for `Search` and `IsAbsoluteLatestVersion` before it lists packages. */
export const METADATA_DOCUMENT = writeMetadataDocument();
