import { matches } from '../../../../local/aws/elbv2/targets';
import { elbv2Fixture } from './fixture';

/** Longer than any registration or deregistration takes to be heard of. */
const PROPAGATION = 6;

async function withListener(options: Parameters<typeof elbv2Fixture>[0] = {}) {
  const fixture = await elbv2Fixture(options);
  await fixture.listen();
  return fixture;
}

describe('a target', () => {
  it('is initial while it registers, then healthy after one passed check, and receives traffic', async () => {
    const { server, register, health, visit, minutes } = await withListener();
    const { id } = await server();
    await register(id);
    expect(await health()).toEqual({ [id]: 'initial Elb.RegistrationInProgress' });
    expect(await visit()).toBe('refused');
    await minutes(PROPAGATION);
    expect(await health()).toEqual({ [id]: 'healthy' });
    expect(await visit()).toBe(id);
  });

  it('is unhealthy after as many failed checks as the threshold says, and healthy again after as many passed', async () => {
    const { server, register, health, minutes, world, network } = await withListener();
    const { id, privateIp, check } = await server();
    await register(id);
    await minutes(PROPAGATION);
    await check?.close();
    await world.clock.advance(10_000);
    expect(await health()).toEqual({ [id]: 'healthy' });
    await world.clock.advance(11_000);
    expect(await health()).toEqual({ [id]: 'unhealthy Target.FailedHealthChecks' });
    await network.listen(privateIp, 32000, { kind: 'echo' });
    await world.clock.advance(20_000);
    expect(await health()).toEqual({ [id]: 'unhealthy Target.FailedHealthChecks' });
    await world.clock.advance(11_000);
    expect(await health()).toEqual({ [id]: 'healthy' });
  });

  it('that never passes a check becomes unhealthy', async () => {
    const { server, register, health, minutes } = await withListener();
    const { id } = await server(0, { healthy: false });
    await register(id);
    await minutes(PROPAGATION);
    expect(await health()).toEqual({ [id]: 'unhealthy Target.FailedHealthChecks' });
  });

  it('is unhealthy when its security group does not admit the health check', async () => {
    const { server, register, health, minutes } = await withListener({ admitCheck: false });
    const { id } = await server();
    await register(id);
    await minutes(PROPAGATION);
    expect(await health()).toEqual({ [id]: 'unhealthy Target.FailedHealthChecks' });
  });

  it('is unhealthy when no packet reaches it', async () => {
    const { server, register, health, minutes, network } = await withListener();
    const { id, privateIp } = await server();
    await register(id);
    await minutes(PROPAGATION);
    const unblock = network.block((_, to) => to === privateIp);
    await minutes(1);
    expect(await health()).toEqual({ [id]: 'unhealthy Target.FailedHealthChecks' });
    unblock();
    await minutes(1);
    expect(await health()).toEqual({ [id]: 'healthy' });
  });

  it('is checked over HTTP with a path and a matcher', async () => {
    const { server, register, health, minutes, network, world } = await withListener({
      targetGroup: {
        HealthCheckProtocol: 'HTTP',
        HealthCheckPath: '/readyz',
        HealthCheckPort: '32000',
        Matcher: { HttpCode: '401' },
      },
    });
    const { id, privateIp } = await server(0, { healthy: false });
    let status = 401;
    const respond = ({ path }: { path: string }) => ({ status: path === '/readyz' ? status : 404 });
    await network.listen(privateIp, 32000, { kind: 'http', respond });
    await register(id);
    await minutes(PROPAGATION);
    expect(await health()).toEqual({ [id]: 'healthy' });
    status = 503;
    await world.clock.advance(30_000);
    expect(await health()).toEqual({ [id]: 'unhealthy Target.FailedHealthChecks' });
  });

  it('waits unused until a listener exists', async () => {
    const { server, register, health, listen, minutes } = await elbv2Fixture();
    const { id } = await server();
    await register(id);
    expect(await health()).toEqual({ [id]: 'unused Target.NotInUse' });
    await listen();
    expect(await health()).toEqual({ [id]: 'initial Elb.RegistrationInProgress' });
    await minutes(PROPAGATION);
    expect(await health()).toEqual({ [id]: 'healthy' });
  });
});

describe('registering', () => {
  it('twice changes nothing', async () => {
    const { server, register, health, minutes } = await withListener();
    const { id } = await server();
    await register(id);
    await minutes(PROPAGATION);
    await register(id);
    expect(await health()).toEqual({ [id]: 'healthy' });
  });

  it('needs an instance that exists and runs', async () => {
    const { server, register, terminate, health } = await withListener();
    await expect(register('i-0123456789abcdef0')).rejects.toMatchObject({
      name: 'InvalidTargetException',
      message: expect.stringContaining('i-0123456789abcdef0'),
    });
    const { id } = await server();
    await terminate(id);
    await expect(register(id)).rejects.toMatchObject({ name: 'InvalidTargetException' });
    expect(await health()).toEqual({});
  });
});

describe('deregistering', () => {
  it('drains: connections still arrive until it is heard of, then none, then the target is gone', async () => {
    const { server, register, deregister, health, visit, minutes, world } = await withListener({
      attributes: { 'deregistration_delay.timeout_seconds': '240' },
    });
    const { id } = await server();
    await register(id);
    await minutes(PROPAGATION);
    await deregister(id);
    expect(await health()).toEqual({ [id]: 'draining Target.DeregistrationInProgress' });
    expect(await visit()).toBe(id);
    await world.clock.advance(200_000);
    expect(await visit()).toBe('refused');
    expect(await health()).toEqual({ [id]: 'draining Target.DeregistrationInProgress' });
    await minutes(1);
    expect(await health()).toEqual({});
    expect(await health(id)).toEqual({ [id]: 'unused Target.NotRegistered' });
    await expect(deregister(id)).resolves.toBeDefined();
  });

  it('and registering again begins anew', async () => {
    const { server, register, deregister, health, minutes } = await withListener();
    const { id } = await server();
    await register(id);
    await minutes(PROPAGATION);
    await deregister(id);
    await register(id);
    expect(await health()).toEqual({ [id]: 'initial Elb.RegistrationInProgress' });
    await minutes(PROPAGATION);
    expect(await health()).toEqual({ [id]: 'healthy' });
  });
});

describe('when its instance ends, a target', () => {
  it('is unhealthy while it shuts down, unused once it is terminated, and forgotten later', async () => {
    const { server, register, terminate, health, minutes, elbv2 } = await withListener();
    const { id, check } = await server();
    await register(id);
    await minutes(PROPAGATION);
    await terminate(id);
    await check?.close();
    await minutes(3);
    expect(await health()).toEqual({ [id]: 'unused Target.InvalidState' });
    expect(elbv2.targetGroups()).toMatchObject([{ port: 80, healthy: 0, unhealthy: 0 }]);
    await minutes(6);
    expect(await health()).toEqual({});
  });
});

describe('traffic', () => {
  it('goes to healthy targets only, in all zones with cross-zone balancing', async () => {
    const { server, register, visits, minutes } = await withListener();
    const first = await server(0);
    const second = await server(1);
    const third = await server(2, { healthy: false });
    await register(first.id, second.id, third.id);
    await minutes(PROPAGATION);
    expect(await visits()).toEqual([first.id, second.id].sort());
  });

  it('is split evenly between zones, not targets, without cross-zone balancing', async () => {
    const { server, register, visit, minutes } = await withListener({ crossZone: false });
    const servers = [await server(0), await server(0), await server(0), await server(1)];
    await register(...servers.map(({ id }) => id));
    await minutes(PROPAGATION);
    let alone = 0;
    for (let count = 0; count < 200; count++) if ((await visit()) === servers[3]?.id) alone++;
    expect(alone).toBeGreaterThan(80);
    expect(alone).toBeLessThan(120);
  });

  it('that is open to a target ends when it becomes unhealthy, unless the load balancer fails open', async () => {
    const { server, register, listen, minutes, dropped } = await elbv2Fixture();
    await listen();
    const [first, second] = [await server(0), await server(1)];
    await register(first.id, second.id);
    await minutes(PROPAGATION);
    await first.check?.close();
    await minutes(1);
    expect(dropped).toEqual([first.privateIp]);
    await second.check?.close();
    await minutes(1);
    expect(dropped).toEqual([first.privateIp]);
  });

  it('that is open to a deregistered target ends after the delay when the attribute says so', async () => {
    const { server, register, deregister, minutes, dropped } = await withListener({
      attributes: {
        'deregistration_delay.connection_termination.enabled': 'true',
        'deregistration_delay.timeout_seconds': '30',
      },
    });
    const { id, privateIp } = await server();
    await register(id);
    await minutes(PROPAGATION);
    await deregister(id);
    expect(dropped).toEqual([]);
    await minutes(PROPAGATION);
    expect(dropped).toEqual([privateIp]);
  });

  it('goes to every target when none is healthy', async () => {
    const { server, register, visits, minutes } = await withListener();
    const servers = [await server(0, { healthy: false }), await server(1, { healthy: false })];
    await register(...servers.map(({ id }) => id));
    await minutes(PROPAGATION);
    expect(await visits()).toEqual(servers.map(({ id }) => id).sort());
  });

  it('is refused by an empty target group', async () => {
    const { visit } = await withListener();
    expect(await visit()).toBe('refused');
  });

  it('is refused when the target’s group admits the load balancer, not the clients whose address is preserved', async () => {
    const { server, register, visit, minutes } = await withListener({
      attributes: { 'preserve_client_ip.enabled': 'true' },
    });
    const { id } = await server();
    await register(id);
    await minutes(PROPAGATION);
    expect(await visit()).toBe('refused');
  });

  it('carries the PROXY header when the attribute says so', async () => {
    const { server, register, visit, minutes } = await withListener({
      attributes: { 'proxy_protocol_v2.enabled': 'true' },
    });
    const { id } = await server();
    await register(id);
    await minutes(PROPAGATION);
    expect(await visit()).toBe('reset');
  });
});

describe('host counts', () => {
  it('are counted by group, balancer and zone', async () => {
    const { server, register, minutes, elbv2, group, balancer } = await withListener();
    const dimensions = {
      TargetGroup: String(group.attributes.TargetGroupFullName),
      LoadBalancer: String(balancer.attributes.LoadBalancerFullName),
    };
    expect(elbv2.healthyHostCount(dimensions)).toBeUndefined();
    const servers = [await server(0), await server(1), await server(2, { healthy: false })];
    await register(...servers.map(({ id }) => id));
    await minutes(PROPAGATION);
    expect(elbv2.healthyHostCount(dimensions)).toEqual({ healthy: 2, unhealthy: 1 });
    const inZone = { ...dimensions, AvailabilityZone: 'eu-west-3c' };
    expect(elbv2.healthyHostCount(inZone)).toEqual({ healthy: 0, unhealthy: 1 });
    expect(elbv2.healthyHostCount({ ...dimensions, LoadBalancer: 'net/other/0' })).toBeUndefined();
  });
});

describe('a matcher', () => {
  it('takes codes and ranges', () => {
    const codes = (matcher: string) => [200, 301, 401, 503].filter((status) => matches({ matcher }, status));
    expect(codes('401')).toEqual([401]);
    expect(codes('200-399')).toEqual([200, 301]);
    expect(codes('200,503')).toEqual([200, 503]);
    expect(matches({ matcher: '200' }, undefined)).toBe(false);
  });
});
