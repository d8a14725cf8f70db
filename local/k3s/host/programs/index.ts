import type { Commands } from '../../command';
import type { HostOptions } from '../options';
import { awsProgram } from './aws';
import { curlProgram, type UrlSource } from './curl';
import { metadataService } from './metadata';
import { k3sReleases } from './releases';
import { systemPrograms } from './system';

/** Every program of an instance that is not this computer's own, by name. */
export function programs({ clock, latency, endpoint, commands, urls, online = () => true }: HostOptions): Commands {
  const releases = k3sReleases(clock, latency);
  const internet: UrlSource = async (machine, request, follow) => {
    const names = /[a-z]$/.test(request.url.hostname) && request.url.hostname !== 'localhost';
    return names && !online(machine.spec.privateIp) ? 'unreachable' : releases(machine, request, follow);
  };
  return {
    ...systemPrograms(clock),
    aws: awsProgram(clock, endpoint, online),
    curl: curlProgram(clock, [metadataService(clock), internet], urls),
    ...commands,
  };
}
