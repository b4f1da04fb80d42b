import { encoderContract } from "#test/contracts/encoder.ts"
import { fakeEncoder } from "#test/support/fake-encoder.ts"

encoderContract("fake", async () => fakeEncoder())
