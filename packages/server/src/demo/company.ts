/** A believable company: who works there, which programs run there, and what they may do. */
export const DEMO_USERS = [
  { email: 'hana.mori@aozora.example', displayName: '森 花', firstName: '花', lastName: '森', role: 'admin', locale: 'ja', tags: ['platform'] },
  { email: 'daniel.okafor@aozora.example', displayName: 'Daniel Okafor', firstName: 'Daniel', lastName: 'Okafor', role: 'admin', locale: 'en', tags: ['security'] },
  { email: 'yuto.tanaka@aozora.example', displayName: '田中 悠斗', firstName: '悠斗', lastName: '田中', role: 'member', locale: 'ja', tags: ['data'] },
  { email: 'lucia.fernandez@aozora.example', displayName: 'Lucía Fernández', firstName: 'Lucía', lastName: 'Fernández', role: 'member', locale: 'en', tags: ['data'] },
  { email: 'priya.nair@aozora.example', displayName: 'Priya Nair', firstName: 'Priya', lastName: 'Nair', role: 'member', locale: 'en', tags: ['mobile'] },
  { email: 'kenji.sato@aozora.example', displayName: '佐藤 健司', firstName: '健司', lastName: '佐藤', role: 'member', locale: 'ja', tags: ['left'] },
] as const;

export const DEMO_SERVICE_ACCOUNTS = [
  { technicalName: 'data-factory-team', displayName: 'Data factory team', description: 'Owns the packages of the data factory team.', email: 'data-factory@aozora.example', managers: ['yuto.tanaka@aozora.example', 'lucia.fernandez@aozora.example'] },
  { technicalName: 'github-actions', displayName: 'GitHub Actions', description: 'Publishes from the main branch.', email: null, managers: ['daniel.okafor@aozora.example'] },
  { technicalName: 'billing-gateway', displayName: '課金ゲートウェイ', description: 'Asks whether customers may call the billing service.', email: 'billing@aozora.example', managers: ['hana.mori@aozora.example'] },
] as const;

const PUSH = [{ actions: ['package:push'], resources: ['AzureRM.DataFactory*'] }];

/** `age` is in days before now; `then` is what happened to the key afterwards. */
export const DEMO_KEYS = [
  { account: 'yuto.tanaka@aozora.example', owner: 'data-factory-team', comment: 'AzureRMDataFactory', scopes: PUSH, lifetimeDays: 365, age: 30, then: 'used' },
  { account: 'lucia.fernandez@aozora.example', owner: 'data-factory-team', comment: 'Integration runtime releases', scopes: [{ actions: ['package:pushversion'], resources: ['AzureRM.DataFactory.Runtime'] }], lifetimeDays: 180, age: 172, then: 'used' },
  { account: 'lucia.fernandez@aozora.example', owner: null, comment: 'Unlist broken builds', scopes: [{ actions: ['package:unlist'], resources: ['*'] }], lifetimeDays: 90, age: 12, then: 'none' },
  { account: 'github-actions', owner: null, comment: 'release.yml', scopes: [{ actions: ['package:push'], resources: ['Aozora.*'] }], lifetimeDays: 90, age: 45, then: 'overlap' },
  { account: 'github-actions', owner: null, comment: 'Old pipeline', scopes: null, lifetimeDays: 270, age: 300, then: 'none' },
  { account: 'billing-gateway', owner: null, comment: 'Gateway, Tokyo', scopes: [{ actions: ['iam:keys:verify'], resources: ['*'] }], lifetimeDays: 365, age: 200, then: 'used' },
  { account: 'billing-gateway', owner: null, comment: 'Gateway, Osaka (spare)', scopes: null, lifetimeDays: 365, age: 200, then: 'none' },
  { account: 'priya.nair@aozora.example', owner: null, comment: 'Laptop', scopes: null, lifetimeDays: 90, age: 3, then: 'used' },
  { account: 'priya.nair@aozora.example', owner: null, comment: 'Pasted into a chat by mistake', scopes: null, lifetimeDays: 365, age: 60, then: 'disabled' },
  { account: 'kenji.sato@aozora.example', owner: null, comment: '夜間バッチ', scopes: null, lifetimeDays: 365, age: 250, then: 'used' },
] as const;

export const DEMO_PACKAGES = [
  { key: 'AzureRMDataFactory', id: 'AzureRM.DataFactory.Runtime', versions: ['1.0.0', '1.1.0', '2.0.0-beta1'], description: 'Integration runtime of the data factory.' },
  { key: 'AzureRMDataFactory', id: 'AzureRm.DataFactoryV2.Netcore', versions: ['0.5.2', '0.5.3'], description: 'Data factory cmdlets for PowerShell.' },
  { key: 'release.yml', id: 'Aozora.Logging', versions: ['3.4.0', '3.4.1', '3.5.0'], description: 'Structured logging for all services.' },
  { key: 'Laptop', id: 'Nair.Mobile.Tools', versions: ['0.1.0'], description: 'Tools for the mobile team.' },
] as const;
