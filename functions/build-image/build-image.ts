/**
 * A CloudFormation custom resource: runs the build of the echo service's image and waits for its end, so that a stack that
 * is deployed has an image that its nodes can pull. Its properties are not read: what is built is the project's, and the
 * resource changes whenever that does. Images stay when it is deleted; the repository takes them with it.
 *
 * It asks how the build is, and is not told: a build that ends before it runs any command of ours could not tell.
 */
import type { Build, Builds } from '../aws/builds';
import { explain } from '../aws/errors';
import type { CustomResourceEvent } from '../contracts';
import { answer, type Outcome } from '../runtime/answer';
import type { Logger } from '../runtime/log';
import type { Platform } from '../runtime/platform';

/** Between two questions, ms. */
const PAUSE_MS = 5000;

/** Less than the function's own limit of 15 min (infra/lib/image.ts), ms: it must still answer. The build is given 5 + 5. */
export const PATIENCE_MS = 14 * 60_000;

export interface Deps {
  cluster: string;
  builds: Pick<Builds, 'start' | 'get'>;
  now: Platform['now'];
  sleep: Platform['sleep'];
  fetch: Platform['fetch'];
}

export async function buildImage(
  event: CustomResourceEvent,
  deps: Deps,
  log: Logger,
): Promise<Pick<Outcome, 'status'>> {
  const failure = event.RequestType === 'Delete' ? null : await build(event.RequestId, deps, log);
  const status = failure === null ? 'SUCCESS' : 'FAILED';
  const reason = failure ?? 'the image is built';
  return answer(event, { status, reason, physicalId: `${deps.cluster}-echo-image` }, deps.fetch, log);
}

/** Null when it succeeded, else why not. */
async function build(requestId: string, { builds, now, sleep }: Deps, log: Logger): Promise<string | null> {
  const started = now();
  let id: string;
  try {
    // Lambda may run this again for the same request: the token makes it the same build.
    id = await builds.start(requestId);
  } catch (error) {
    return `the image's build could not be started: ${explain(error)}`;
  }
  log.info('building the image', { build: id });
  let last = 'nothing is known of it';
  while (now() - started < PATIENCE_MS) {
    await sleep(PAUSE_MS);
    try {
      const state: Build = await builds.get(id);
      if (state.status === 'SUCCEEDED') return null;
      if (state.status !== 'IN_PROGRESS') {
        return `the image's build ${id} ended with ${state.status}: ${state.reason}. Its log is in ${state.logGroup}`;
      }
      last = `it is in ${state.phase}`;
    } catch (error) {
      // Whether AWS answers says nothing about the build: ask again.
      last = explain(error);
      log.warn('asking for the build failed', { build: id, reason: last });
    }
  }
  return `the image's build ${id} did not end within ${PATIENCE_MS / 60_000} min: ${last}`;
}
