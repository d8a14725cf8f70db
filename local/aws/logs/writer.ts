/** What other services of the embedded AWS need of CloudWatch Logs. */
export interface LogWriter {
  has(group: string): boolean;
  /**
   * Appends a line. A group that does not exist is made with `createGroup`, as Lambda does; otherwise the line is lost,
   * as it is for a service whose log group was deleted.
   */
  write(group: string, stream: string, message: string, options?: { createGroup?: boolean }): void;
}
