import type { AwsError, Service } from '../aws/service';
import type { WireRequest, WireResponse } from './http';

/** An operation's name and its input as a plain object, as the request spells it. */
export interface Parsed {
  operation: string;
  input: unknown;
}

/**
 * One wire format. In outputs a Date is a timestamp (epoch seconds in JSON and CBOR, ISO 8601 in XML), a Map is a map
 * shape, a Buffer is a blob and `undefined` is left out.
 */
export interface Codec {
  /** @throws AwsError when the request is malformed in this format. */
  read(request: WireRequest, service: Service): Parsed;
  write(output: unknown, operation: string, service: Service, requestId: string): WireResponse;
  writeError(error: AwsError, service: Pick<Service, 'name' | 'version'>, requestId: string): WireResponse;
}
