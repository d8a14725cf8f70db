/** What EC2 offers: instance types by zone, and images. */
import { z } from 'zod';
import { AwsError, type Operation, operation, type World } from '../service';
import type { Capacity } from './capacity';
import { filter, page } from './filters';
import { select } from './ids';
import { IMAGES, type Image } from './images';
import { INSTANCE_TYPES, instanceType } from './instance-types';
import { DESCRIBE, IDS } from './schema';
import { zoneId } from './vpc';

const NO_TAGS: ReadonlyMap<string, string> = new Map();

export function catalogueOperations(world: World, capacity: Capacity): Record<string, Operation> {
  const locations = (type: 'region' | 'availability-zone' | 'availability-zone-id') => {
    if (type === 'region') {
      const everywhere = new Set(world.zones.flatMap((zone) => capacity.offered(zone)));
      return [{ location: world.region, types: [...everywhere] }];
    }
    return world.zones.map((zone) => ({
      location: type === 'availability-zone' ? zone : zoneId(zone),
      types: capacity.offered(zone),
    }));
  };

  return {
    DescribeInstanceTypeOfferings: operation({
      input: z.strictObject({
        ...DESCRIBE,
        LocationType: z.enum(['region', 'availability-zone', 'availability-zone-id']).default('region'),
      }),
      handle: (input) => {
        const offerings = locations(input.LocationType).flatMap(({ location, types }) =>
          types.map((name) => ({ name, location, tags: NO_TAGS })),
        );
        const found = filter(offerings, input.Filter, {
          'instance-type': ({ name }) => name,
          location: ({ location }) => location,
        });
        const { items, nextToken } = page(found, ({ name, location }) => `${name} ${location}`, input);
        return {
          instanceTypeOfferingSet: items.map(({ name, location }) => ({
            instanceType: name,
            locationType: input.LocationType,
            location,
          })),
          nextToken,
        };
      },
    }),
    DescribeInstanceTypes: operation({
      input: z.strictObject({ ...DESCRIBE, InstanceType: IDS }),
      handle: (input) => {
        if (input.InstanceType && input.MaxResults !== undefined) {
          throw new AwsError(
            'InvalidParameterCombination',
            'The parameter InstanceType cannot be used with the parameter MaxResults',
          );
        }
        const asked = input.InstanceType?.map(instanceType) ?? [...INSTANCE_TYPES.values()];
        const found = filter(
          asked.map((type) => ({ ...type, tags: NO_TAGS })),
          input.Filter,
          {
            'instance-type': ({ name }) => name,
            'processor-info.supported-architecture': ({ architecture }) => architecture,
          },
        );
        const { items, nextToken } = page(found, ({ name }) => name, input);
        return {
          instanceTypeSet: items.map(({ name, architecture, vcpus, memoryMiB }) => ({
            instanceType: name,
            currentGeneration: true,
            processorInfo: { supportedArchitectures: [architecture] },
            vCpuInfo: { defaultVCpus: vcpus },
            memoryInfo: { sizeInMiB: memoryMiB },
          })),
          nextToken,
        };
      },
    }),
    DescribeImages: operation({
      input: z.strictObject({ ...DESCRIBE, ImageId: IDS, Owner: IDS }),
      handle: (input) => {
        const owned = (input.Owner ?? ['amazon']).includes('amazon');
        const asked = owned ? select('ami', IMAGES, input.ImageId) : [];
        const found = filter(
          asked.map((image) => ({ ...image, tags: NO_TAGS })),
          input.Filter,
          {
            architecture: ({ architecture }) => architecture,
            'image-id': ({ imageId }) => imageId,
            name: ({ name }) => name,
          },
        );
        const { items, nextToken } = page(found, ({ imageId }) => imageId, input);
        return { imagesSet: items.map(describeImage), nextToken };
      },
    }),
  };
}

const describeImage = ({ imageId, name, architecture, rootDeviceName, sizeGiB }: Image) => ({
  imageId,
  name,
  architecture,
  imageState: 'available',
  imageOwnerAlias: 'amazon',
  isPublic: true,
  rootDeviceType: 'ebs',
  rootDeviceName,
  blockDeviceMapping: [{ deviceName: rootDeviceName, ebs: { volumeSize: sizeGiB, deleteOnTermination: true } }],
});
