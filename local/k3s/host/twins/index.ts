import { applyManifests } from './apply-manifests';
import { ecrLogin } from './ecr-login';
import { removeMember } from './remove-member';
import { reportStatus } from './report-status';
import type { Twin } from './shell';
import { startServer } from './start-server';
import { userData } from './user-data';

const COMMANDS: Record<string, Twin> = {
  StartServer: startServer,
  ReportStatus: reportStatus,
  RemoveMember: removeMember,
  ApplyManifests: applyManifests,
};

/**
 * The twin of a script: a node command says which it is in its second line (`# node command: StartServer`), user data is
 * known by the settings at its top, and the credential provider by the login that it asks for.
 * @throws Error when the script is neither: a twin cannot run what it was not written for
 */
export function twinOf(script: string): Twin {
  const name = /^# node command: (\w+)$/m.exec(script)?.[1];
  const twin = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (twin) return twin;
  const settings = Object.fromEntries(
    [...script.matchAll(/^([A-Z0-9_]+)='([^']*)'$/gm)].map(([, key = '', value = '']) => [key, value]),
  );
  if (settings.K3S_VERSION === undefined) {
    const region = /^password=\$\(aws ecr get-login-password --region (\S+)\)$/m.exec(script)?.[1];
    if (region !== undefined) return ecrLogin(script, region);
  }
  if (settings.K3S_VERSION !== undefined) return userData(settings);
  throw new Error(`there is no in-process twin of this script: ${script.slice(0, 80)}`);
}
