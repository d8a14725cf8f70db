export { type Assembly, type Asset, readAssembly } from './assembly';
export { CustomResourceResponses, RESPONSE_PATH } from './custom-resource';
export { type DeployedResource, type DeployOptions, deploy, type Stack } from './deploy';
export { DeploymentError } from './errors';
