import { describe, expect, it } from 'vitest';
import { readTags } from './item-types.ts';

const NOTHING = {
  editions: [],
  functions: [],
  cmdlets: [],
  commands: [],
  dscResources: [],
  roleCapabilities: [],
  workflows: [],
};

describe('what a package holds, by its tags', () => {
  it('is listed by kind for a PowerShell module, apart from the tags of its author', () => {
    const text =
      'Azure PSModule PSEdition_Core PSEdition_Desktop PSIncludes_Function PSFunction_Get-Thing ' +
      'PSCommand_Get-Thing PSCmdlet_Set-Thing PSCommand_Set-Thing PSIncludes_DscResource PSDscResource_Thing ' +
      'PSRoleCapability_Maintenance PSWorkflow_Nightly Cloud';
    expect(readTags(text)).toEqual({
      tags: ['Azure', 'Cloud'],
      itemTypes: {
        kind: 'module',
        editions: ['Core', 'Desktop'],
        functions: ['Get-Thing'],
        cmdlets: ['Set-Thing'],
        commands: ['Get-Thing', 'Set-Thing'],
        dscResources: ['Thing'],
        roleCapabilities: ['Maintenance'],
        workflows: ['Nightly'],
      },
    });
  });

  it('is read in any letter case, with blanks, commas and semicolons between, each tag once', () => {
    expect(readTags('psSCRIPT,PSCOMMAND_Run;\tpscommand_Stop  x x')).toEqual({
      tags: ['x'],
      itemTypes: { ...NOTHING, kind: 'script', commands: ['Run', 'Stop'] },
    });
  });

  it('is nothing for a package without the tag of PowerShell: its tags are plain ones', () => {
    expect(readTags('PSCommand_Run json')).toEqual({ tags: ['PSCommand_Run', 'json'], itemTypes: null });
    expect(readTags(null)).toEqual({ tags: [], itemTypes: null });
  });

  it.each(['PSCommand_', '__proto___x', 'constructor_x', 'PSModuleX'])(
    'takes what only looks like such a tag for a plain one: %s',
    (tag) => {
      expect(readTags(`PSModule ${tag}`)).toEqual({ tags: [tag], itemTypes: { ...NOTHING, kind: 'module' } });
    },
  );
});
