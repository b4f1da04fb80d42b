import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3"
import { afterAll, beforeAll, describe } from "vitest"
import { s3Store } from "#shared/store/s3.ts"
import { objectStoreContract } from "#test/contracts/object-store.ts"
import { type Moto, motoServer, needsMoto, startMoto } from "#test/support/moto.ts"

describe.skipIf(!motoServer)(`s3${needsMoto}`, () => {
  let moto: Moto
  let client: S3Client
  beforeAll(async () => {
    moto = await startMoto()
    client = new S3Client({ ...moto.aws, forcePathStyle: true })
    await client.send(
      new CreateBucketCommand({
        Bucket: "voxkin",
        CreateBucketConfiguration: { LocationConstraint: "eu-central-1" },
      }),
    )
  }, 40_000)
  afterAll(() => moto.stop())

  objectStoreContract("s3", async () => s3Store({ client, bucket: "voxkin", prefix: "data/" }), {
    keyBelowKey: "kept",
  })
})
