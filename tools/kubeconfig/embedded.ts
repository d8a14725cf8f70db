/**
 * The embedded AWS instead of Session Manager: a session's data channel is a WebSocket protocol of its own that is not
 * modelled, so the embedded AWS hands out the same file of the same server, and servers are reached at their own addresses.
 */
import { z } from 'zod';
import { ToolError } from '../run';

const STATE = z.looseObject({ urls: z.record(z.string(), z.string()) });
const REFUSAL = z.object({ error: z.string() });

/** The file as K3s wrote it. Throws ToolError when the server has none. */
export async function fetchKubeconfig(url: string, instanceId: string): Promise<string> {
  const response = await fetch(`${url}/_local/kubeconfig?instance=${encodeURIComponent(instanceId)}`);
  const text = await response.text();
  if (response.ok) return text;
  const refusal = REFUSAL.safeParse(JSON.parse(text));
  throw new ToolError(refusal.success ? refusal.data.error : `the embedded AWS answered ${response.status}`);
}

/** Where the load balancer's listener of the API is reached. */
export async function balancerUrl(url: string): Promise<string> {
  const response = await fetch(`${url}/_local/state`);
  const { urls } = STATE.parse(await response.json());
  const api = urls['6443'];
  if (api === undefined) throw new ToolError('the load balancer has no listener on port 6443');
  return api;
}
