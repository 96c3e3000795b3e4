import { type Credential, type Subject, send } from '../subjects/subject.ts';

/** What a server showed before it was measured. */
export interface Gate {
  readonly hasPassed: boolean;
  readonly remark: string;
}

/** The very request that is measured, asked once. */
async function isTaken(subject: Subject, credential: Credential): Promise<boolean> {
  return await subject.saysYes(await send(subject.server.url, subject.load(credential)));
}

/**
 * Asks whether a server decides at all: takes a live credential, refuses a wrong secret, and refuses what it took a
 * moment ago once that is revoked. A number of a server that says yes to everything means nothing.
 */
export async function checkGate(subject: Subject): Promise<Gate> {
  const [credential] = await subject.make(1);
  if (credential === undefined || !(await isTaken(subject, credential)))
    return { hasPassed: false, remark: 'refuses a live credential' };
  if (await isTaken(subject, subject.spoil(credential)))
    return { hasPassed: false, remark: 'takes a wrong secret' };
  if (subject.revoke === null)
    return { hasPassed: false, remark: 'wrong secret refused; has no way to revoke' };
  await subject.revoke(credential);
  if (await isTaken(subject, credential))
    return { hasPassed: false, remark: 'wrong secret refused; takes a revoked credential' };
  return { hasPassed: true, remark: 'wrong secret refused, revoked refused' };
}

/** Every credential of a load must be taken: a refusal may be quicker than an answer, and have the same status. */
export async function expectAllTaken(subject: Subject, credentials: readonly Credential[]): Promise<void> {
  for (const credential of credentials) {
    if (!(await isTaken(subject, credential)))
      throw new Error(`${subject.name} refused ${credential.id}, which is live.`);
  }
}
