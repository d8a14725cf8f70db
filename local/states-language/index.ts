/** The Amazon States Language in JSONata mode: checks definitions and runs executions. */
export type { StateMachine } from './definition';
export { PAYLOAD_LIMIT, QueryEvaluationError, StatesError } from './errors';
export { type Bindings, Evaluator } from './evaluate';
export { type ExecuteOptions, execute, type Outcome, Stopped } from './execution';
export { type Expression, listExpressions, variablesRead } from './expressions';
export type { HistoryEvent } from './history';
export type { Json, JsonObject } from './json';
export { DefinitionError, parseDefinition } from './parse';
export { listResources, type TaskRequest, type TaskRunner } from './task';
export { TaskTokens, TokenRefused } from './tokens';
