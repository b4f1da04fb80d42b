import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import {
  BatchClient,
  CreateComputeEnvironmentCommand,
  CreateJobQueueCommand,
  DescribeJobsCommand,
  ListJobsCommand,
  RegisterJobDefinitionCommand,
} from "@aws-sdk/client-batch"
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest"
import { newJobId } from "#shared/ids.ts"
import { batchQueue } from "#shared/jobs/batch.ts"
import { jobQueueContract } from "#test/contracts/job-queue.ts"
import { type Moto, motoServer, needsMoto, startMoto } from "#test/support/moto.ts"

describe.skipIf(!motoServer)(`batch${needsMoto}`, () => {
  let moto: Moto
  let client: BatchClient
  beforeAll(async () => {
    moto = await startMoto()
    client = new BatchClient(moto.aws)
    await prepare(moto, client)
  }, 40_000)
  afterAll(() => moto.stop())

  const open = (namePrefix?: string) =>
    batchQueue({ client, jobQueue: "jobs", jobDefinition: "worker", namePrefix })

  async function named(name: string) {
    const filters = [{ name: "JOB_NAME", values: [name] }]
    const { jobSummaryList } = await client.send(new ListJobsCommand({ jobQueue: "jobs", filters }))
    return jobSummaryList ?? []
  }

  jobQueueContract(
    "AWS Batch",
    async () => ({ queue: open(), runs: async (job) => (await named(job)).length }),
    { runsJobs: false },
  )

  test("gives the container the job's id as its last argument, under the deployment's name", async () => {
    const job = newJobId()
    await open("blue-").submit(job)
    const [{ jobId }] = await named(`blue-${job}`)
    const { jobs } = await client.send(new DescribeJobsCommand({ jobs: [jobId!] }))
    expect(jobs?.[0].container?.command).toEqual([job])
    expect(await open("blue-").status(job)).toBe("succeeded")
    expect(await open("green-").status(job)).toBeUndefined()
  })

  test("names the queue that is not there", async () => {
    const queue = batchQueue({ client, jobQueue: "nobodys", jobDefinition: "worker" })
    const fault = { kind: "unavailable", code: "aws-failed", message: expect.stringContaining("nobodys") }
    await expect(queue.status(newJobId())).rejects.toMatchObject(fault)
    await expect(queue.submit(newJobId())).rejects.toMatchObject(fault)
    await expect(queue.cancel(newJobId())).rejects.toMatchObject(fault)
  })
})

/** States that moto, whose jobs succeed at once, never shows; told by a server of a few lines. */
describe("batch states", () => {
  let server: Server
  const asked: { path: string; body: Record<string, unknown> }[] = []
  afterEach(() => {
    asked.length = 0
    server.closeAllConnections()
    server.close()
  })

  async function telling(pages: object[], status = 200) {
    server = createServer(async (request, answer) => {
      const body = JSON.parse(Buffer.concat(await request.toArray()).toString() || "{}")
      asked.push({ path: request.url!, body })
      const page = request.url === "/v1/listjobs" ? pages[Number(body.nextToken ?? 0)] : {}
      answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(page))
    })
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening))
    const client = new BatchClient({
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      region: "eu-central-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
      maxAttempts: 1,
    })
    return batchQueue({ client, jobQueue: "jobs", jobDefinition: "worker" })
  }
  const one = (status: string, more: object = {}) => [
    { jobSummaryList: [{ jobId: "1", jobName: "x", status, createdAt: 1, ...more }] },
  ]

  test.each([
    ["SUBMITTED", "queued"],
    ["PENDING", "queued"],
    ["RUNNABLE", "queued"],
    ["STARTING", "queued"],
    ["RUNNING", "running"],
    ["SUCCEEDED", "succeeded"],
    ["FAILED", "failed"],
  ])("%s is %s", async (status, state) => {
    expect(await (await telling(one(status))).status("x")).toBe(state)
  })

  test("a job that fails for our reason was cancelled", async () => {
    const queue = await telling(one("RUNNING"))
    await queue.cancel("x")
    const { path, body } = asked[1]
    expect(path).toBe("/v1/terminatejob")
    expect(body).toMatchObject({ jobId: "1", reason: expect.any(String) })
    server.close()
    expect(await (await telling(one("FAILED", { statusReason: body.reason }))).status("x")).toBe("cancelled")
  })

  test("what has ended is not ended again", async () => {
    await (await telling(one("FAILED"))).cancel("x")
    expect(asked.map(({ path }) => path)).toEqual(["/v1/listjobs"])
  })

  test("reads every page, and of several jobs of that name believes the newest", async () => {
    const page = (status: string, createdAt: number, nextToken?: string) => ({
      ...one(status, { createdAt })[0],
      nextToken,
    })
    const queue = await telling([page("FAILED", 5, "1"), page("RUNNING", 9, "2"), page("FAILED", 7)])
    expect(await queue.status("x")).toBe("running")
    expect(asked).toHaveLength(3)
  })

  test("asks Batch to repeat crashes, not faults", async () => {
    const queue = await telling([{ jobSummaryList: [] }])
    await queue.submit("x")
    expect(asked[1].path).toBe("/v1/submitjob")
    expect(asked[1].body.retryStrategy).toEqual({
      attempts: 3,
      evaluateOnExit: [
        { onExitCode: "2", action: "EXIT" },
        { onReason: "*", action: "RETRY" },
      ],
    })
  })

  test("refused credentials are a fault", async () => {
    const queue = await telling([{ message: "no" }], 403)
    await expect(queue.status("x")).rejects.toMatchObject({ kind: "forbidden", code: "no-access" })
  })
})

/** The least that Batch wants to have before it takes a job. */
async function prepare(moto: Moto, client: BatchClient): Promise<void> {
  const made = await fetch(moto.url, {
    method: "POST",
    headers: { authorization: "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request" },
    body: new URLSearchParams({
      Action: "CreateRole",
      Version: "2010-05-08",
      RoleName: "batch",
      AssumeRolePolicyDocument: "{}",
    }),
  })
  const serviceRole = /<Arn>(.*)<\/Arn>/.exec(await made.text())![1]
  await client.send(
    new CreateComputeEnvironmentCommand({ computeEnvironmentName: "nodes", type: "UNMANAGED", serviceRole }),
  )
  await client.send(
    new CreateJobQueueCommand({
      jobQueueName: "jobs",
      state: "ENABLED",
      priority: 1,
      computeEnvironmentOrder: [{ order: 1, computeEnvironment: "nodes" }],
    }),
  )
  await client.send(
    new RegisterJobDefinitionCommand({
      jobDefinitionName: "worker",
      type: "container",
      containerProperties: { image: "worker", vcpus: 1, memory: 128 },
    }),
  )
}
