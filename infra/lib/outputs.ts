import { CfnOutput, type Stack } from 'aws-cdk-lib';

/** Publishes what people and tools look up. The logical ids are the names they use. */
export function publish(stack: Stack, values: Readonly<Record<string, { value: string; description: string }>>): void {
  for (const [name, output] of Object.entries(values)) new CfnOutput(stack, name, output);
}
