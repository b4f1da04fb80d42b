/**
 * The schema: every key in the store is made here and nowhere else.
 * Parts are validated ids (`ids.ts`), so no key can leave its folder.
 */
export const keys = {
  features: (encoder: string, series: string) => `features/${encoder}/${series}.safetensors`,
  featuresOf: (encoder: string) => `features/${encoder}/`,
  allFeatures: "features/",

  cohort: (cohort: string) => `cohorts/${cohort}/cohort.json`,
  cohorts: "cohorts/",
  cohortFolder: (cohort: string) => `cohorts/${cohort}/`,
  member: (cohort: string, series: string) => `cohorts/${cohort}/members/${series}.json`,
  members: (cohort: string) => `cohorts/${cohort}/members/`,
  /** A marker: this series was deleted after the live snapshot was published. */
  deleted: (cohort: string, series: string) => `cohorts/${cohort}/deleted/${series}`,
  deletions: (cohort: string) => `cohorts/${cohort}/deleted/`,
  current: (cohort: string) => `cohorts/${cohort}/current.json`,

  snapshotPart: (cohort: string, encoder: string, snapshot: string, part: string) =>
    `snapshots/${cohort}/${encoder}/${snapshot}/${part}`,
  snapshots: (cohort: string) => `snapshots/${cohort}/`,

  probePart: (probe: string, version: string, part: string) => `probes/${probe}/${version}/${part}`,
  probeCurrent: (probe: string) => `probes/${probe}/current.json`,
  probe: (probe: string) => `probes/${probe}/`,
  probes: "probes/",

  job: (job: string) => `jobs/${job}/job.json`,
  jobProgress: (job: string) => `jobs/${job}/progress.json`,
  jobResult: (job: string) => `jobs/${job}/result.json`,
  jobs: "jobs/",
  upload: (job: string) => `uploads/${job}`,
} as const
