import { Fault } from "#shared/errors.ts"

const missing = ["NoSuchBucket"]
const refused = [
  "AccessDenied",
  "AccessDeniedException",
  "AllAccessDisabled",
  "InvalidAccessKeyId",
  "SignatureDoesNotMatch",
  "ExpiredToken",
  "UnrecognizedClientException",
  "CredentialsProviderError",
]

/**
 * What an AWS client threw at `what`, as a Fault; what is no answer of the service and no failure of the network
 * is a bug and comes back as it is. `where` names the bucket or queue.
 */
export function awsFault(what: string, where: string, thrown: unknown): unknown {
  if (thrown instanceof Fault || !(thrown instanceof Error)) return thrown
  const status = statusOf(thrown)
  const fromNetwork = "code" in thrown || thrown.name === "TimeoutError"
  if (missing.includes(thrown.name))
    return new Fault("missing", "no-such-bucket", `there is no ${where}: create it or correct its name`, {
      cause: thrown,
    })
  if (status === 401 || status === 403 || refused.includes(thrown.name))
    return new Fault(
      "forbidden",
      "no-access",
      `AWS refused ${what} in ${where} (${thrown.name}): check the credentials and the policy`,
      { cause: thrown },
    )
  if (thrown.name === "EntityTooLarge")
    return new Fault("too_large", "object-too-large", `${what} is too large for one upload: at most 5 GiB`, {
      cause: thrown,
    })
  if (status === undefined && !fromNetwork) return thrown
  return new Fault(
    "unavailable",
    "aws-failed",
    `AWS failed at ${what} in ${where} (${thrown.name}): check that it is there, then region and network, and repeat`,
    { cause: thrown },
  )
}

/** The HTTP status of the service's answer; undefined when it never answered. */
export function statusOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !("$metadata" in thrown)) return undefined
  const { httpStatusCode } = thrown.$metadata as { httpStatusCode?: number }
  return httpStatusCode
}
