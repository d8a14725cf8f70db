import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as z from 'zod/mini';
import { VirtualClock } from '../../local/clock';
import { Latency } from '../../local/latency';
import { Random } from '../../local/random';
import {
  Evaluator,
  execute,
  type Json,
  type Outcome,
  parseDefinition,
  type StateMachine,
  StatesError,
  TaskTokens,
} from '../../local/states-language';
import { NOW } from '../functions/cluster/world';

const ROOT = join(__dirname, '../..');

/** Execution ARNs of the tests. */
export const EXECUTION = 'arn:aws:states:eu-west-3:111122223333:execution:k3s-demo:test';

export const SUBSTITUTIONS = {
  ClusterName: 'demo',
  ManifestsUri: 's3://bucket/manifests.tar.gz',
  ManifestsSha256: 'a'.repeat(64),
  EchoRepository: '123456789012.dkr.ecr.eu-west-3.amazonaws.com/echo',
};

export interface Contract {
  Input: z.ZodMiniType;
  Output: z.ZodMiniType;
  errors: readonly string[];
}

/** Every function's contract by its stem, as in `functions/<folder>/contract.ts`. */
export const CONTRACTS: ReadonlyMap<string, Contract> = new Map(
  readdirSync(join(ROOT, 'functions'))
    .filter((folder) => existsSync(join(ROOT, 'functions', folder, 'contract.ts')))
    .map((folder) => [pascal(folder), require(join(ROOT, 'functions', folder, 'contract.ts'))]),
);

export function pascal(kebab: string): string {
  return kebab.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The text of a definition with its substitutions made: a function's ARN is its stem. */
export function definitionText(name: 'cluster' | 'delete-cluster'): string {
  return source(name).replace(/\$\{(\w+)\}/g, (_, key: string) => {
    if (key.endsWith('Arn')) return key.slice(0, -'Arn'.length);
    const value = Object.entries(SUBSTITUTIONS).find(([known]) => known === key)?.[1];
    if (value === undefined) throw new Error(`no substitution for \${${key}}`);
    return value;
  });
}

export function source(name: 'cluster' | 'delete-cluster'): string {
  return readFileSync(join(ROOT, 'statemachine', `${name}.asl.json`), 'utf8');
}

const parsed = new Map<string, StateMachine>();

export function machine(name: 'cluster' | 'delete-cluster'): StateMachine {
  const known = parsed.get(name) ?? parseDefinition(definitionText(name));
  parsed.set(name, known);
  return known;
}

/** A function's failure as Lambda hands it to the workflow. */
export function lambdaError(name: string, message: string): StatesError {
  return new StatesError(name, JSON.stringify({ errorType: name, errorMessage: message, trace: [] }));
}

/** Answers for one function, by stem. */
export type Answer = (payload: Record<string, Json>) => Json;

export interface Call {
  state: string;
  fn: string;
  payload: Record<string, Json>;
}

export interface Ran {
  outcome: Outcome;
  calls: Call[];
  /** Names of the states that were entered, in order. */
  states: string[];
  transitions: number;
  seconds: number;
}

/** Runs workflows in virtual time against scripted functions, holding both sides to the contracts. */
export class Workflows {
  readonly clock = new VirtualClock(NOW);

  constructor(private readonly answers: Record<string, Answer>) {}

  async run(name: 'cluster' | 'delete-cluster', input: Json = {}): Promise<Ran> {
    const random = new Random(1);
    const calls: Call[] = [];
    const states: string[] = [];
    const began = this.clock.now();
    let transitions = 0;
    const outcome = await this.clock.until(
      execute({
        machine: machine(name),
        input,
        execution: { id: EXECUTION, name: 'test', roleArn: 'arn:aws:iam::111122223333:role/workflow' },
        stateMachine: { id: 'arn:aws:states:eu-west-3:111122223333:stateMachine:k3s-demo', name: 'k3s-demo' },
        region: 'eu-west-3',
        clock: this.clock,
        random,
        latency: new Latency(random, () => 0),
        evaluator: new Evaluator(this.clock, random),
        tokens: new TaskTokens(random),
        task: async ({ arguments: args }) => {
          const { FunctionName, Payload } = args as { FunctionName: string; Payload: Record<string, Json> };
          calls.push({ state: states.at(-1) ?? '', fn: FunctionName, payload: Payload });
          return { StatusCode: 200, ExecutedVersion: '$LATEST', Payload: this.invoke(FunctionName, Payload) };
        },
        onEvent: ({ type, details }) => {
          if (!type.endsWith('StateEntered')) return;
          const entered = Object.values(details)[0];
          if (typeof entered?.name === 'string') states.push(entered.name);
        },
        onTransition: () => transitions++,
      }),
    );
    return { outcome, calls, states, transitions, seconds: (this.clock.now() - began) / 1000 };
  }

  private invoke(fn: string, payload: Record<string, Json>): Json {
    const contract = CONTRACTS.get(fn);
    const answer = this.answers[fn];
    if (!contract || !answer) throw new Error(`nothing answers ${fn}`);
    const faults = contract.Input.safeParse(payload).error;
    if (faults) throw new Error(`${fn} was given ${JSON.stringify(payload)}: ${faults.message}`);
    const output = answer(payload);
    // What CheckCommand returns is the script's own output.
    const wrong = contract.Output.safeParse(output).error;
    if (wrong) throw new Error(`${fn} answered ${JSON.stringify(output)}: ${wrong.message}`);
    return output;
  }
}
