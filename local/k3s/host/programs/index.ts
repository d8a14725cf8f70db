import type { Commands } from '../../command';
import type { HostOptions } from '../options';
import { awsProgram } from './aws';
import { curlProgram } from './curl';
import { metadataService } from './metadata';
import { k3sReleases } from './releases';
import { systemPrograms } from './system';

/** Every program of an instance that is not this computer's own, by name. */
export function programs({ clock, latency, endpoint, commands, urls }: HostOptions): Commands {
  return {
    ...systemPrograms(clock),
    aws: awsProgram(clock, endpoint),
    curl: curlProgram(clock, [metadataService(clock), k3sReleases(clock, latency)], urls),
    ...commands,
  };
}
