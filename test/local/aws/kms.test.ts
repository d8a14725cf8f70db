import { Kms } from '../../../local/aws/kms';
import { call, refusal } from '../../support/call';
import { testWorld } from '../../support/world';

it('a key is found by id, ARN and alias', async () => {
  const world = testWorld();
  const kms = new Kms(world);
  const key = await kms.resources['AWS::KMS::Key']!('Key', { Description: 'logs', EnableKeyRotation: 'true' });
  await kms.resources['AWS::KMS::Alias']!('Alias', { AliasName: 'alias/k3s', TargetKeyId: key.ref });
  for (const KeyId of [key.ref, String(key.attributes.Arn), 'alias/k3s']) {
    expect(await call(world, kms, 'DescribeKey', { KeyId })).toMatchObject({
      KeyMetadata: { KeyId: key.ref, Description: 'logs' },
    });
  }
  expect((await refusal(call(world, kms, 'DescribeKey', { KeyId: 'alias/other' }))).code).toBe('NotFoundException');
});
