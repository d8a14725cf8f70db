import type { Machine } from '../../../functions/aws/instances';
import { type Deps, guardDeletion } from '../../../functions/guard-deletion/guard-deletion';
import { OURS } from '../support/executions';
import { keptLog, silent } from '../support/log';
import { machine } from '../support/machine';
import { emulatedTable } from '../support/table';

const EVENT = {
  RequestType: 'Delete' as const,
  ResponseURL: 'https://cloudformation-custom-resource-response.example/answer',
  StackId: 'arn:stack',
  RequestId: 'request-1',
  LogicalResourceId: 'Guard',
  PhysicalResourceId: 'demo-deletion-guard',
};

async function start(tagged: Machine[] = [], known: Machine[] = []) {
  const { slots, run } = await emulatedTable();
  const sent: { url: string; method: string; headers?: Record<string, string>; body: Record<string, unknown> }[] = [];
  const fetch: Deps['fetch'] = async (url, { method, headers, body }) => {
    sent.push({ url, method, headers, body: JSON.parse(body) });
    return { ok: true, status: 200 };
  };
  const deps = {
    cluster: 'demo',
    slots,
    instances: { byTag: async () => tagged, byId: async () => known },
    fetch,
  };
  return { deps, sent, slots, run };
}

describe('deleting the stack', () => {
  it('may go on when no instance exists', async () => {
    const { deps, sent, run } = await start([machine('i-00000001', { state: 'terminated' })]);
    expect(await run(() => guardDeletion(EVENT, deps, silent))).toEqual({ status: 'SUCCESS' });
    expect(sent).toEqual([
      {
        url: EVENT.ResponseURL,
        method: 'PUT',
        headers: { 'content-type': '' },
        body: {
          Status: 'SUCCESS',
          Reason: expect.any(String),
          PhysicalResourceId: 'demo-deletion-guard',
          StackId: 'arn:stack',
          RequestId: 'request-1',
          LogicalResourceId: 'Guard',
        },
      },
    ]);
  });

  it('fails while instances exist, naming them and what to do', async () => {
    const { deps, sent, run, slots } = await start(
      [machine('i-00000001')],
      [machine('i-00000002', { state: 'stopped', tags: null })],
    );
    await run(() => slots.beginLaunch(1, 0, 't4g.medium', OURS));
    await run(() => slots.completeLaunch(1, { instanceId: 'i-00000002', generation: 1, launchedAt: 1 }));
    expect(await run(() => guardDeletion(EVENT, deps, silent))).toEqual({ status: 'FAILED' });
    expect(sent[0]!.body.Reason).toMatch(/i-00000001, i-00000002\. Start the delete workflow .*"confirm":"demo"/);
  });

  it('fails, and says so at once, when nobody can tell whether instances exist', async () => {
    const { deps, sent, run } = await start();
    const { log, lines } = keptLog();
    deps.instances.byTag = () => Promise.reject(new Error('EC2 is silent'));
    expect(await run(() => guardDeletion(EVENT, deps, log))).toEqual({ status: 'FAILED' });
    expect(sent[0]!.body.Reason).toContain('EC2 is silent');
    expect(lines).toContainEqual(expect.objectContaining({ level: 'error' }));
  });
});

describe('creating and updating the stack', () => {
  it.each(['Create', 'Update'] as const)('always succeeds: %s', async (RequestType) => {
    const { deps, sent, run } = await start([machine('i-00000001')]);
    const { PhysicalResourceId: _, ...event } = EVENT;
    expect(await run(() => guardDeletion({ ...event, RequestType }, deps, silent))).toEqual({ status: 'SUCCESS' });
    expect(sent[0]!.body.PhysicalResourceId).toBe('demo-deletion-guard');
  });
});

describe('an answer that CloudFormation does not take', () => {
  it('is an error, so that Lambda tries again', async () => {
    const { deps, run } = await start();
    deps.fetch = async () => ({ ok: false, status: 403 });
    await expect(run(() => guardDeletion(EVENT, deps, silent))).rejects.toThrow('403');
  });
});
