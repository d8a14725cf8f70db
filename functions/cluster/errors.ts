/**
 * The errors of the domain and its steps. Names are literals, because the workflow's Retry and Catch match them and a
 * minifier would rename a class. Each name is listed in the contract of the functions that throw it.
 */

function named<const Name extends string>(literal: Name) {
  return class extends Error {
    override readonly name: Name = literal;
  };
}

/** The execution input is not valid; the message names every field at fault. */
export class InvalidInput extends named('InvalidInput') {}
/** Another execution holds the lease: stop at once, without a word to the cluster. */
export class LeaseLost extends named('LeaseLost') {}
/** The latch forbids to initialise here (safety rule 12). */
export class LatchRefused extends named('LatchRefused') {}
/** The command has not finished: ask again. */
export class CommandPending extends named('CommandPending') {}
/** The script exited 75: its time has not come, send it again. */
export class TryAgain extends named('TryAgain') {}
/** The script failed for good; the message names script, exit code and the end of stderr. */
export class ScriptFailed extends named('ScriptFailed') {}
/** The instance took no command, or never answered one within its limits. */
export class AgentLost extends named('AgentLost') {}
/** Exit 0 without the one JSON line that the script promises. */
export class InvalidScriptOutput extends named('InvalidScriptOutput') {}
/** SSM does not know the instance yet: ask again. */
export class AgentOffline extends named('AgentOffline') {}
/** A command of this execution still runs on a node: ask again. */
export class CommandInFlight extends named('CommandInFlight') {}
/** The instance has not reached the wanted state: ask again. */
export class ServerNotYet extends named('ServerNotYet') {}
/** The instance ended while it should have lived; the message has EC2's reason. */
export class ServerLost extends named('ServerLost') {}
/** Some server receives no traffic yet: ask again. */
export class TargetsNotHealthy extends named('TargetsNotHealthy') {}
/** No instance type of the list had capacity in the slot's zone. */
export class CapacityUnavailable extends named('CapacityUnavailable') {}
/** EC2 refused the launch for another reason than capacity. */
export class LaunchRefused extends named('LaunchRefused') {}
/** A fresh look says that this server must not be terminated (safety rule 3). */
export class RetirementRefused extends named('RetirementRefused') {}
/** The deletion left something behind; the message lists it. */
export class LeftoversFound extends named('LeftoversFound') {}
/** AWS throttled the call beyond the SDK's own retries: ask again. */
export class Throttled extends named('Throttled') {}
