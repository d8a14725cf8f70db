/** `curl` on an instance: parses the options that node scripts use and asks whoever answers the URL. */
import type { Clock } from '../../../clock';
import type { Command, K3sUrls, MachineContext, UrlAnswer, UrlRequest } from '../../command';
import { failure, success } from './result';

/** Answers URLs of the public network; undefined means "not mine". `follow`: the client follows redirects. */
export type UrlSource = (
  machine: MachineContext,
  request: UrlRequest,
  follow: boolean,
) => Promise<UrlAnswer | undefined>;

/** https://curl.se/docs/manpage.html#EXIT */
const EXIT = { usage: 2, resolve: 6, refused: 7, http: 22, timeout: 28, certificate: 60 } as const;

type Outcome = UrlAnswer | 'untrusted' | 'late' | undefined;

/**
 * @param sources answer with certificates that the system trusts
 * @param k3s answers with certificates of its own authority, so that https needs `--insecure`
 */
export function curlProgram(clock: Clock, sources: UrlSource[], k3s: K3sUrls): Command {
  return async (machine, args) => {
    const options = parseOptions(args);
    if (typeof options === 'string') return failure(EXIT.usage, `curl: ${options}`);
    const { url, method } = options;

    const outcome = await within(options.maxTime, machine.signal, () => ask(machine, options));
    const problem = (code: number, text: string) =>
      options.silent && !options.showError
        ? { ...failure(code, ''), stderr: '' }
        : failure(code, `curl: (${code}) ${text}`);
    const peer = `${url.hostname} port ${url.port || (url.protocol === 'https:' ? 443 : 80)}`;
    switch (outcome) {
      case undefined:
        return failure(EXIT.resolve, `curl: (6) the embedded AWS does not know ${method} ${url.href}`);
      case 'refused':
        return problem(EXIT.refused, `Failed to connect to ${peer}: Connection refused`);
      case 'untrusted':
        return problem(EXIT.certificate, 'SSL certificate problem: unable to get local issuer certificate');
      case 'unreachable':
        await clock.sleep(Math.min(options.connectTimeout, options.maxTime) * 1000, machine.signal);
        return problem(EXIT.timeout, `Failed to connect to ${peer}: Connection timed out`);
      case 'late':
        return problem(EXIT.timeout, `Operation timed out after ${options.maxTime * 1000} milliseconds`);
    }
    if (options.fail && outcome.status >= 400) {
      return problem(EXIT.http, `The requested URL returned error: ${outcome.status}`);
    }
    if (options.output === undefined) return success(outcome.body);
    machine.files.write(options.output, outcome.body);
    return success();
  };

  async function ask(machine: MachineContext, options: Options): Promise<Outcome> {
    const request = { method: options.method, url: options.url, headers: options.headers };
    for (const source of sources) {
      const answer = await source(machine, request, options.location);
      if (answer !== undefined) return answer;
    }
    const answer = await k3s(machine, request);
    const handshakes = options.url.protocol === 'https:' && typeof answer === 'object';
    return handshakes && !options.insecure ? 'untrusted' : answer;
  }

  async function within(seconds: number, signal: AbortSignal, work: () => Promise<Outcome>): Promise<Outcome> {
    if (!Number.isFinite(seconds)) return work();
    const done = new AbortController();
    try {
      const limit = clock.sleep(seconds * 1000, AbortSignal.any([done.signal, signal])).then(() => 'late' as const);
      return await Promise.race([work(), limit]);
    } finally {
      done.abort(new Error('answered in time'));
    }
  }
}

interface Options {
  silent: boolean;
  showError: boolean;
  fail: boolean;
  location: boolean;
  insecure: boolean;
  method: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  output?: string;
  /** Seconds. */
  connectTimeout: number;
  /** Seconds. */
  maxTime: number;
  url: URL;
}

/** What is wrong, when it is not understood. */
function parseOptions(args: readonly string[]): Options | string {
  const options = {
    silent: false,
    showError: false,
    fail: false,
    location: false,
    insecure: false,
    method: 'GET',
    headers: {} as Record<string, string>,
    output: undefined as string | undefined,
    connectTimeout: 300,
    maxTime: Number.POSITIVE_INFINITY,
  };
  const urls: string[] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--silent') options.silent = true;
    else if (arg === '--show-error') options.showError = true;
    else if (arg === '--fail') options.fail = true;
    else if (arg === '--location') options.location = true;
    else if (arg === '--insecure') options.insecure = true;
    else if (!arg.startsWith('-')) urls.push(arg);
    else {
      const value = rest.shift();
      if (value === undefined) return `option ${arg}: requires parameter`;
      if (arg === '--request') options.method = value;
      else if (arg === '--output') options.output = value;
      else if (arg === '--header') {
        const [, name = '', text = ''] = /^([^:]+):\s*(.*)$/.exec(value) ?? [];
        options.headers[name.toLowerCase()] = text;
      } else if (arg === '--max-time' || arg === '--connect-timeout') {
        const seconds = Number(value);
        if (!(seconds > 0)) return `option ${arg}: expected a proper numerical parameter`;
        if (arg === '--max-time') options.maxTime = seconds;
        else options.connectTimeout = seconds;
      } else return `option ${arg}: is unknown`;
    }
  }
  const [text] = urls;
  if (text === undefined || urls.length > 1) return 'exactly one URL is expected';
  return URL.canParse(text) ? { ...options, url: new URL(text) } : `(3) URL rejected: ${text}`;
}
