/** Values of template parameters: given, default, or read from a public SSM parameter. */
import { publicImageParameter } from '../aws/ec2';
import { DeploymentError } from './errors';
import type { Parameter, Template } from './template';

/** The bootstrap stack's version, as `cdk bootstrap` of the CDK in use leaves it. */
const PUBLIC_PARAMETERS: Record<string, string> = { '/cdk-bootstrap/hnb659fds/version': '30' };

const SSM_VALUE = /^AWS::SSM::Parameter::Value<(String|AWS::EC2::Image::Id)>$/;
const LISTS = ['CommaDelimitedList', 'List<Number>', 'List<String>'];

/** @throws DeploymentError naming the parameter that has no value, a wrong one or an unknown type */
export function parameterValues(
  { Parameters }: Pick<Template, 'Parameters'>,
  given: Readonly<Record<string, string>>,
): Map<string, unknown> {
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(Parameters, name));
  if (unknown.length > 0) throw new DeploymentError(`Parameters: [${unknown.join(', ')}] do not exist in the template`);
  return new Map(
    Object.entries(Parameters).map(([name, parameter]) => {
      const value = given[name] ?? parameter.Default;
      const place = { logicalId: name, type: parameter.Type };
      if (value === undefined) throw new DeploymentError('the parameter must have a value', place);
      const fault = faultOf(parameter, value);
      if (fault) throw new DeploymentError(`the value ${value} ${fault}`, place);
      return [name, typed(parameter.Type, value, place)];
    }),
  );
}

function typed(type: string, value: string, place: { logicalId: string; type: string }): unknown {
  if (type === 'String' || type === 'Number') return value;
  if (LISTS.includes(type)) return value.split(',').map((item) => item.trim());
  if (!SSM_VALUE.test(type)) throw new DeploymentError('this parameter type is not modelled', place);
  const found = publicImageParameter(value) ?? PUBLIC_PARAMETERS[value];
  if (found === undefined) throw new DeploymentError(`the SSM parameter ${value} does not exist`, place);
  return found;
}

function faultOf({ Type, AllowedValues, AllowedPattern, MinLength = 0, MaxLength }: Parameter, value: string) {
  if (Type === 'Number' && Number.isNaN(Number.parseFloat(value))) return 'is not a number';
  if (AllowedValues && !AllowedValues.includes(value)) return `is not one of ${AllowedValues.join(', ')}`;
  if (AllowedPattern && !new RegExp(`^(?:${AllowedPattern})$`).test(value)) return `does not match ${AllowedPattern}`;
  if (value.length < MinLength) return `is shorter than ${MinLength}`;
  if (MaxLength !== undefined && value.length > MaxLength) return `is longer than ${MaxLength}`;
  return undefined;
}
