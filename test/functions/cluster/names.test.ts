import { clientTokenInput, leaseHolder, parseLeaseHolder, parseTags, tagsOf } from '../../../functions/cluster/names';
import { majority, slotsOf, tolerated, zoneIndex } from '../../../functions/cluster/slots';

describe('tags', () => {
  it('tell people and IAM what an instance is', () => {
    expect(tagsOf({ cluster: 'demo', slot: 1, generation: 4 })).toEqual({
      'k3s:cluster': 'demo',
      'k3s:slot': '1',
      'k3s:role': 'server',
      'k3s:generation': '4',
      Name: 'demo-server-1',
    });
  });

  it('can be read back', () => {
    expect(parseTags(tagsOf({ cluster: 'demo', slot: 1, generation: 4 }))).toEqual({ slot: 1, generation: 4 });
  });

  it.each<Record<string, string>>([
    {},
    { 'k3s:role': 'server', 'k3s:slot': 'x', 'k3s:generation': '1' },
    { 'k3s:slot': '1' },
  ])('that are not those of a server tell nothing: %p', (tags) => expect(parseTags(tags)).toBeNull());
});

describe('a lease holder', () => {
  const execution = { id: 'arn:aws:states:eu-west-3:1:execution:k3s-demo:a', redrive: 2 };

  it('is an execution and how often it was redriven', () => {
    expect(parseLeaseHolder(leaseHolder(execution))).toEqual(execution);
  });

  it('is nothing else', () => {
    expect(parseLeaseHolder('someone')).toBeNull();
  });
});

describe('the input of a client token', () => {
  const launch = { incarnation: 'x', slot: 1, generation: 2, launchTemplateVersion: '3', instanceType: 't3.medium' };

  it('differs in everything that makes another launch', () => {
    const others = [
      launch,
      { ...launch, incarnation: 'y' },
      { ...launch, slot: 2 },
      { ...launch, generation: 3 },
      { ...launch, launchTemplateVersion: '4' },
      { ...launch, instanceType: 't3.large' },
    ];
    expect(new Set(others.map(clientTokenInput)).size).toBe(others.length);
  });
});

describe('slots', () => {
  it('are numbered from 0', () => expect(slotsOf(3)).toEqual([0, 1, 2]));

  it('take the zones in turn', () => expect(slotsOf(5).map((slot) => zoneIndex(slot, 3))).toEqual([0, 1, 2, 0, 1]));

  it.each([
    [1, 1, 0],
    [2, 2, 0],
    [3, 2, 1],
    [4, 3, 1],
    [5, 3, 2],
  ])('with %i voters, %i are a majority and %i may be lost', (voters, most, lost) => {
    expect([majority(voters), tolerated(voters)]).toEqual([most, lost]);
  });
});
