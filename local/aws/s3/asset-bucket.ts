/** The bucket of `cdk bootstrap`, as it is after the assets of an assembly were published to it. */
import { readFileSync } from 'node:fs';
import { AwsError } from '../service';
import { type Bucket, MemoryBucket, type StoredObject, storedObject } from './bucket';

export interface PublishedAsset {
  bucket: string;
  key: string;
  path: string;
  packaging: 'file' | 'zip';
}

export class AssetBucket implements Bucket {
  private readonly others = new MemoryBucket();
  private readonly assets: ReadonlyMap<string, PublishedAsset>;

  constructor(
    assets: readonly PublishedAsset[],
    private readonly publishedAt: Date,
  ) {
    this.assets = new Map(assets.map((asset) => [asset.key, asset]));
  }

  keys(): string[] {
    return [...new Set([...this.assets.keys(), ...this.others.keys()])];
  }

  get(key: string): StoredObject | undefined {
    const asset = this.assets.get(key);
    if (!asset) return this.others.get(key);
    if (asset.packaging === 'zip') {
      throw new AwsError('NotImplemented', `The embedded S3 does not zip the directory behind ${key}.`, 501);
    }
    return storedObject(readFileSync(asset.path), this.publishedAt);
  }

  put(key: string, object: StoredObject): void {
    this.refuse(key);
    this.others.put(key, object);
  }

  delete(key: string): void {
    this.refuse(key);
    this.others.delete(key);
  }

  /** Assets are named by their content: to change one is always a mistake. */
  private refuse(key: string): void {
    if (this.assets.has(key)) throw new AwsError('AccessDenied', 'Access Denied', 403);
  }
}
