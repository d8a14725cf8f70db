import type { ServiceEvent } from '../../../../local/aws/events/event';
import { Ssm } from '../../../../local/aws/ssm';
import { call, refusal } from '../../../support/call';
import { PERMISSIVE } from '../../../support/permissive';
import { testWorld } from '../../../support/world';
import { done, FakeInstances } from './instances';

const ID = 'i-0123456789abcdef0';
const STEP = {
  action: 'aws:runShellScript',
  name: 'StartServer',
  inputs: { runCommand: ['#!/bin/bash', 'start'], timeoutSeconds: '60' },
};
const DOCUMENT = {
  Name: 'k3s-demo-StartServer',
  DocumentType: 'Command',
  UpdateMethod: 'NewVersion',
  Content: {
    schemaVersion: '2.2',
    parameters: {
      mode: { type: 'String', allowedPattern: '^(init|join)$', interpolationType: 'ENV_VAR' },
      caHash: { type: 'String', default: '', interpolationType: 'ENV_VAR' },
    },
    mainSteps: [STEP],
  },
};
const MINUTE = 60_000;

interface InvocationView {
  Status: string;
  StatusDetails: string;
  ResponseCode: number;
  StandardOutputContent: string;
  StandardErrorContent: string;
}

async function start({ online = true, document = DOCUMENT as Record<string, unknown> } = {}) {
  const world = testWorld();
  const instances = new FakeInstances();
  const events: ServiceEvent[] = [];
  let isReachable = true;
  const ssm = new Ssm(world, {
    instances,
    authority: PERMISSIVE,
    emit: (event) => events.push(event),
    reachable: () => isReachable,
  });
  await ssm.resources['AWS::SSM::Document']!('StartServer', document);
  const run = (name: string, input: Record<string, unknown>) => call(world, ssm, name, input);
  const machine = instances.launch(ID, { 'k3s:cluster': 'demo' });
  if (online) await world.clock.advance(2 * MINUTE);
  const send = async (rest: Record<string, unknown> = {}) => {
    const { Command } = (await run('SendCommand', {
      DocumentName: 'k3s-demo-StartServer',
      InstanceIds: [ID],
      Parameters: { mode: ['init'] },
      TimeoutSeconds: 60,
      ...rest,
    })) as { Command: { CommandId: string } };
    return Command.CommandId;
  };
  const look = async (CommandId: string) =>
    (await run('GetCommandInvocation', { CommandId, InstanceId: ID })) as InvocationView;
  const agents = async (Filters: unknown[] = []) =>
    ((await run('DescribeInstanceInformation', { Filters })) as { InstanceInformationList: Record<string, unknown>[] })
      .InstanceInformationList;
  return {
    world,
    clock: world.clock,
    instances,
    machine,
    ssm,
    events,
    run,
    send,
    look,
    agents,
    partition: (cut: boolean) => {
      isReachable = !cut;
    },
  };
}

describe('an agent', () => {
  it('is unknown until it has registered, some time after the kernel is up', async () => {
    const { clock, agents, send } = await start({ online: false });
    expect(await agents()).toEqual([]);
    expect(await refusal(send())).toMatchObject({
      code: 'InvalidInstanceId',
      message: `Instances [[${ID}]] not in a valid state for account 123456789012`,
    });
    await clock.advance(2 * MINUTE);
    expect(await agents()).toMatchObject([{ InstanceId: ID, PingStatus: 'Online', PlatformName: 'Amazon Linux' }]);
  });

  it('reports itself every five minutes, and counts as lost when it does not', async () => {
    const { clock, agents, ssm } = await start();
    const [first] = await agents();
    await clock.advance(3 * MINUTE);
    expect((await agents())[0]!.LastPingDateTime).toEqual(first!.LastPingDateTime);
    await clock.advance(2 * MINUTE);
    expect((await agents())[0]!.LastPingDateTime).not.toEqual(first!.LastPingDateTime);
    ssm.loseAgent(ID);
    await clock.advance(7 * MINUTE);
    expect(await agents([{ Key: 'PingStatus', Values: ['ConnectionLost'] }])).toHaveLength(1);
    ssm.restoreAgent(ID);
    expect(await agents([{ Key: 'PingStatus', Values: ['Online'] }])).toHaveLength(1);
  });

  it('is lost behind a partition', async () => {
    const { clock, agents, partition } = await start();
    partition(true);
    await clock.advance(7 * MINUTE);
    expect(await agents()).toMatchObject([{ PingStatus: 'ConnectionLost' }]);
  });

  it('is found by instance id and tag', async () => {
    const { agents } = await start();
    expect(
      await agents([
        { Key: 'InstanceIds', Values: [ID] },
        { Key: 'tag:k3s:cluster', Values: ['demo'] },
      ]),
    ).toHaveLength(1);
    expect(await agents([{ Key: 'tag:k3s:cluster', Values: ['other'] }])).toEqual([]);
    expect((await refusal(agents([{ Key: 'Colour', Values: ['red'] }]))).code).toBe('InvalidFilterKey');
  });

  it('is known at once when a stopped instance starts again, and gone when it is terminated', async () => {
    const { clock, instances, agents, send } = await start();
    instances.end(ID, 'stopped');
    expect((await refusal(send())).code).toBe('InvalidInstanceId');
    await clock.advance(10 * MINUTE);
    expect(await agents()).toMatchObject([{ PingStatus: 'ConnectionLost' }]);
    instances.launch(ID);
    await clock.advance(1);
    expect(await agents()).toMatchObject([{ PingStatus: 'Online' }]);
    instances.end(ID, 'terminated');
    expect(await agents()).toEqual([]);
  });

  it('never registers under a fault', async () => {
    const { clock, instances, ssm, agents } = await start();
    ssm.neverRegister((_id, tags) => tags.get('k3s:slot') === '1');
    instances.launch('i-00000001', { 'k3s:slot': '1' });
    instances.launch('i-00000002', { 'k3s:slot': '2' });
    await clock.advance(10 * MINUTE);
    expect((await agents()).map(({ InstanceId }) => InstanceId)).toEqual([ID, 'i-00000002']);
  });
});

describe('a command', () => {
  it('runs with its parameters in the environment and its own time limit', async () => {
    const { clock, machine, send, look, events } = await start();
    machine.behaviour = async () => {
      await clock.sleep(3000);
      return done({ stdout: '{"ready":true}\n', stderr: 'starting\n' });
    };
    const id = await send();
    await clock.advance(600);
    expect(await look(id)).toMatchObject({ ResponseCode: -1, StandardOutputContent: '' });
    await clock.advance(2 * MINUTE);
    expect(machine.runs).toEqual([
      {
        script: '#!/bin/bash\nstart',
        environment: { SSM_mode: 'init', SSM_caHash: '', AWS_SSM_INSTANCE_ID: ID, AWS_SSM_REGION_NAME: 'eu-west-3' },
        timeLimitSeconds: 60,
      },
    ]);
    expect(await look(id)).toMatchObject({
      Status: 'Success',
      StatusDetails: 'Success',
      ResponseCode: 0,
      ExecutionElapsedTime: 'PT3S',
      StandardOutputContent: '{"ready":true}\n',
      StandardErrorContent: 'starting\n',
      PluginName: 'StartServer',
    });
    expect(events.map(({ detail }) => detail.status)).toEqual(['InProgress', 'Success']);
    expect(events[1]).toMatchObject({
      source: 'aws.ssm',
      detailType: 'EC2 Command Invocation Status-change Notification',
      detail: { 'command-id': id, 'document-name': 'k3s-demo-StartServer', 'instance-id': ID },
    });
  });

  it('is not visible right after it was sent', async () => {
    const { clock, send, look } = await start();
    const id = await send();
    expect((await refusal(look(id))).code).toBe('InvocationDoesNotExist');
    await clock.advance(500);
    expect((await look(id)).Status).toMatch(/Pending|InProgress/);
  });

  it.each([
    [{ colour: ['red'] }, /does not support parameters: colour/],
    [{}, /Parameter "mode" is required/],
    [{ mode: ['scale'] }, /Parameter "mode" does not match its allowedPattern \^\(init\|join\)\$/],
    [{ mode: ['init', 'join'] }, /Parameter "mode" takes one value/],
  ])('is refused with the parameters %j', async (Parameters, message) => {
    const { send } = await start();
    const { code, message: actual } = await refusal(send({ Parameters }));
    expect(code).toBe('InvalidParameters');
    expect(actual).toMatch(message);
  });

  it('needs a document and an instance that exist', async () => {
    const { send } = await start();
    expect((await refusal(send({ DocumentName: 'k3s-demo-Nothing' }))).code).toBe('InvalidDocument');
    expect((await refusal(send({ DocumentVersion: '7' }))).code).toBe('InvalidDocumentVersion');
    expect((await refusal(send({ InstanceIds: ['i-00000009'] }))).message).toContain('[[i-00000009]]');
    await expect(send({ TimeoutSeconds: 29 })).rejects.toThrow(/TimeoutSeconds/);
  });

  it('fails with the exit code of its script, to whose errors the agent adds its own', async () => {
    const { clock, machine, send, look } = await start();
    machine.behaviour = async () => done({ exitCode: 75, stderr: 'not yet\n' });
    const id = await send();
    await clock.advance(MINUTE);
    expect(await look(id)).toMatchObject({
      Status: 'Failed',
      StatusDetails: 'Failed',
      ResponseCode: 75,
      StandardErrorContent: 'not yet\nfailed to run commands: exit status 75',
    });
  });

  it('keeps 24,000 characters of output and 8,000 of errors', async () => {
    const { clock, machine, send, look } = await start();
    machine.behaviour = async () => done({ stdout: 'o'.repeat(30_000), stderr: 'e'.repeat(9000) });
    const id = await send();
    await clock.advance(MINUTE);
    const { StandardOutputContent, StandardErrorContent } = await look(id);
    expect(StandardOutputContent).toHaveLength(24_000);
    expect(StandardOutputContent).toMatch(/---Output truncated---$/);
    expect(StandardErrorContent).toHaveLength(8000);
  });

  it('times out when its script does', async () => {
    const { clock, machine, send, look } = await start();
    machine.behaviour = async () => done({ exitCode: 143, timedOut: true, stdout: 'half' });
    const id = await send();
    await clock.advance(MINUTE);
    expect(await look(id)).toMatchObject({
      Status: 'TimedOut',
      StatusDetails: 'ExecutionTimedOut',
      ResponseCode: 137,
      StandardOutputContent: 'half',
    });
  });

  it('is delayed while its agent is lost, and never runs once its delivery timeout is over', async () => {
    const { clock, machine, ssm, send, look } = await start();
    ssm.loseAgent(ID);
    const id = await send();
    await clock.advance(30_000);
    expect(await look(id)).toMatchObject({ Status: 'Delayed', StatusDetails: 'Delayed' });
    await clock.advance(40_000);
    ssm.restoreAgent(ID);
    await clock.advance(40_000);
    expect((await look(id)).Status).toBe('Delayed');
    await clock.advance(11_000);
    expect(await look(id)).toMatchObject({ Status: 'TimedOut', StatusDetails: 'DeliveryTimedOut', ResponseCode: -1 });
    expect(machine.runs).toEqual([]);
  });

  it('is delivered late when its agent comes back in time', async () => {
    const { clock, ssm, send, look } = await start();
    ssm.loseAgent(ID);
    const id = await send();
    await clock.advance(20_000);
    ssm.restoreAgent(ID);
    await clock.advance(20_000);
    expect((await look(id)).Status).toBe('Success');
  });

  it('stays in progress on a dead machine until both timeouts are over', async () => {
    const { clock, instances, machine, send, look } = await start();
    machine.freeze();
    const id = await send();
    await clock.advance(20_000);
    instances.end(ID, 'terminated');
    await clock.advance(99_000);
    expect((await look(id)).Status).toBe('InProgress');
    await clock.advance(1000);
    expect(await look(id)).toMatchObject({ Status: 'TimedOut', StatusDetails: 'ExecutionTimedOut' });
  });

  it('returns its result after a partition', async () => {
    const { clock, machine, partition, send, look } = await start();
    machine.behaviour = async () => {
      partition(true);
      return done({ stdout: 'x' });
    };
    const id = await send();
    await clock.advance(30_000);
    expect((await look(id)).Status).toBe('InProgress');
    partition(false);
    await clock.advance(6000);
    expect(await look(id)).toMatchObject({ Status: 'Success', StandardOutputContent: 'x' });
  });

  it('is cancelled before delivery at once', async () => {
    const { clock, machine, run, send, look } = await start();
    const id = await send();
    await run('CancelCommand', { CommandId: id });
    await clock.advance(MINUTE);
    expect(await look(id)).toMatchObject({ Status: 'Cancelled', StatusDetails: 'Cancelled' });
    expect(machine.runs).toEqual([]);
  });

  it('is cancelled while it runs by killing its script', async () => {
    const { clock, machine, run, send, look } = await start();
    machine.behaviour = (_script, cancelled) =>
      new Promise((resolve) =>
        cancelled?.addEventListener('abort', () => resolve(done({ exitCode: 137, timedOut: false }))),
      );
    const id = await send();
    await clock.advance(20_000);
    await run('CancelCommand', { CommandId: id });
    expect((await look(id)).Status).toBe('Cancelling');
    await clock.advance(10_000);
    expect((await look(id)).Status).toBe('Cancelled');
    expect((await refusal(run('CancelCommand', { CommandId: id.replace(/^./, 'z') }))).code).toBe('InvalidCommandId');
  });

  it('shares its agent with at most four others at a time', async () => {
    const { clock, machine, send } = await start();
    machine.behaviour = async () => {
      await clock.sleep(30_000);
      return done();
    };
    for (let index = 0; index < 6; index++) await send();
    await clock.advance(20_000);
    expect(machine.runs).toHaveLength(5);
    await clock.advance(30_000);
    expect(machine.runs).toHaveLength(6);
  });

  it('does not get the reboot that exit 194 asks for', async () => {
    const { clock, machine, send, look } = await start();
    machine.behaviour = async () => done({ exitCode: 194 });
    const id = await send();
    await clock.advance(MINUTE);
    expect(await look(id)).toMatchObject({
      Status: 'Failed',
      StandardErrorContent: expect.stringContaining('does not model'),
    });
  });

  it('runs its steps in order and goes on after a failure unless told to exit', async () => {
    const step = (name: string, rest = {}) => ({ ...STEP, name, inputs: { runCommand: [name] }, ...rest });
    const mainSteps = [step('one'), step('two', { onFailure: 'exit' }), step('three')];
    const document = { ...DOCUMENT, Content: { ...DOCUMENT.Content, mainSteps } };
    const { clock, machine, run, send } = await start({ document });
    machine.behaviour = async () => done({ exitCode: 1 });
    const CommandId = await send();
    await clock.advance(MINUTE);
    expect(machine.runs.map(({ script }) => script)).toEqual(['one', 'two']);
    const target = { CommandId, InstanceId: ID };
    expect((await refusal(run('GetCommandInvocation', target))).code).toBe('InvalidPluginName');
    expect(await run('GetCommandInvocation', { ...target, PluginName: 'three' })).toMatchObject({ ResponseCode: -1 });
  });
});

describe('lists of commands', () => {
  it('show a command as in progress while one of its invocations is delayed', async () => {
    const { clock, ssm, run, send, look } = await start();
    ssm.loseAgent(ID);
    const id = await send();
    await clock.advance(20_000);
    expect((await look(id)).Status).toBe('Delayed');
    expect(await run('ListCommands', { CommandId: id })).toMatchObject({ Commands: [{ Status: 'InProgress' }] });
    await clock.advance(2 * MINUTE);
    expect(await run('ListCommands', { CommandId: id })).toMatchObject({
      Commands: [{ Status: 'TimedOut', StatusDetails: 'DeliveryTimedOut', DeliveryTimedOutCount: 1 }],
    });
  });

  it('show the newest first, with filters and pages', async () => {
    const { clock, run, send } = await start();
    const first = await send({ Comment: 'first' });
    await clock.advance(MINUTE);
    const second = await send();
    await clock.advance(1000);
    const list = async (input: Record<string, unknown>) =>
      ((await run('ListCommands', input)) as { Commands: { CommandId: string }[] }).Commands.map((c) => c.CommandId);
    expect(await list({})).toEqual([second, first]);
    expect(await list({ Filters: [{ key: 'Status', value: 'Success' }] })).toEqual([first]);
    expect(await list({ Filters: [{ key: 'ExecutionStage', value: 'Executing' }] })).toEqual([second]);
    const { NextToken } = (await run('ListCommands', { MaxResults: 1 })) as { NextToken: string };
    expect(await list({ MaxResults: 1, NextToken })).toEqual([first]);
    expect(await run('ListCommandInvocations', { CommandId: first, Details: true })).toMatchObject({
      CommandInvocations: [
        { InstanceId: ID, Status: 'Success', CommandPlugins: [{ Name: 'StartServer', ResponseCode: 0 }] },
      ],
    });
  });
});

describe('documents', () => {
  it('can be looked up', async () => {
    const { run } = await start();
    expect(await run('DescribeDocument', { Name: 'k3s-demo-StartServer' })).toMatchObject({
      Document: { Status: 'Active', Parameters: [{ Name: 'mode' }, { Name: 'caHash', DefaultValue: '' }] },
    });
    expect(await run('ListDocuments', { Filters: [{ Key: 'Name', Values: ['k3s-demo-'] }] })).toMatchObject({
      DocumentIdentifiers: [{ Name: 'k3s-demo-StartServer', DocumentVersion: '1' }],
    });
    const { Content } = (await run('GetDocument', { Name: 'k3s-demo-StartServer' })) as { Content: string };
    expect(JSON.parse(Content)).toEqual(DOCUMENT.Content);
  });

  it('are refused by their resource with what is wrong', async () => {
    await expect(start({ document: { ...DOCUMENT, Requires: [] } })).rejects.toThrow(
      /StartServer \(AWS::SSM::Document\): .*Requires/,
    );
    await expect(start({ document: { ...DOCUMENT, Content: { schemaVersion: '2.2' } } })).rejects.toThrow(/mainSteps/);
  });
});
