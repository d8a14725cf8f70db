/** What a bucket holds. */
import { createHash } from 'node:crypto';

export interface StoredObject {
  body: Buffer;
  contentType: string;
  metadata: Record<string, string>;
  /** Quoted, as S3 gives it. */
  etag: string;
  modifiedAt: Date;
}

export const storedObject = (
  body: Buffer,
  modifiedAt: Date,
  contentType = 'binary/octet-stream',
  metadata: Record<string, string> = {},
): StoredObject => ({
  body,
  contentType,
  metadata,
  etag: `"${createHash('md5').update(body).digest('hex')}"`,
  modifiedAt,
});

export interface Bucket {
  keys(): string[];
  get(key: string): StoredObject | undefined;
  put(key: string, object: StoredObject): void;
  delete(key: string): void;
}

export class MemoryBucket implements Bucket {
  private readonly objects = new Map<string, StoredObject>();

  keys(): string[] {
    return [...this.objects.keys()];
  }

  get(key: string): StoredObject | undefined {
    return this.objects.get(key);
  }

  put(key: string, object: StoredObject): void {
    this.objects.set(key, object);
  }

  delete(key: string): void {
    this.objects.delete(key);
  }
}
