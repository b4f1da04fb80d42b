/**
 * The schema: every key in the store is made here and nowhere else.
 * Parts are validated ids (`ids.ts`), so no key can leave its folder.
 */
export const keys = {
  encoderPart: (encoder: string, part: string) => `encoders/${encoder}/${part}`,

  features: (encoder: string, series: string) => `features/${encoder}/${series}.safetensors`,
  featuresOf: (encoder: string) => `features/${encoder}/`,
  allFeatures: "features/",

  cohort: (cohort: string) => `cohorts/${cohort}/cohort.json`,
  cohorts: "cohorts/",
  cohortFolder: (cohort: string) => `cohorts/${cohort}/`,
  current: (cohort: string) => `cohorts/${cohort}/current.json`,
  // Beside `cohorts/`, not below: to list the cohorts is not to list every member of them.
  member: (cohort: string, series: string) => `members/${cohort}/${series}.json`,
  members: (cohort: string) => `members/${cohort}/`,
  /** A marker: this series was deleted after the live snapshot was published. */
  deleted: (cohort: string, series: string) => `deletions/${cohort}/${series}`,
  deletions: (cohort: string) => `deletions/${cohort}/`,
  /** A marker: this series was added, or added again, and the live snapshot may not hold it so. One per act. */
  fresh: (cohort: string, series: string, act: string) => `fresh/${cohort}/${series}.${act}`,
  freshOf: (cohort: string, series: string) => `fresh/${cohort}/${series}.`,
  freshIn: (cohort: string) => `fresh/${cohort}/`,

  /** What a probe said of the cohort's series. */
  predictions: (cohort: string, probe: string) => `predictions/${cohort}/${probe}.json`,
  predictionsIn: (cohort: string) => `predictions/${cohort}/`,

  snapshotPart: (cohort: string, encoder: string, snapshot: string, part: string) =>
    `snapshots/${cohort}/${encoder}/${snapshot}/${part}`,
  snapshots: (cohort: string) => `snapshots/${cohort}/`,

  probePart: (probe: string, version: string, part: string) => `probes/${probe}/${version}/${part}`,
  probeVersion: (probe: string, version: string) => `probes/${probe}/${version}/`,
  /** How well a version did on another cohort. */
  probeEvaluation: (probe: string, version: string, cohort: string, at: string) =>
    `probes/${probe}/${version}/evaluations/${cohort}-${at}.json`,
  probeEvaluations: (probe: string, version: string) => `probes/${probe}/${version}/evaluations/`,
  /** Slices of a scan with what a version says laid over them. */
  probeOverlay: (probe: string, version: string, series: string) =>
    `probes/${probe}/${version}/overlays/${series}.svg`,
  probeOverlays: (probe: string, version: string) => `probes/${probe}/${version}/overlays/`,
  probeCurrent: (probe: string) => `probes/${probe}/current.json`,
  probe: (probe: string) => `probes/${probe}/`,
  probes: "probes/",

  /** Probes that are asked as one. */
  panel: (name: string) => `panels/${name}.json`,
  panels: "panels/",

  job: (job: string) => `jobs/${job}/job.json`,
  jobProgress: (job: string) => `jobs/${job}/progress.json`,
  jobResult: (job: string) => `jobs/${job}/result.json`,
  jobs: "jobs/",
  /** An upload is kept in parts, so that nobody ever holds all of it in memory. */
  uploadPart: (job: string, part: number) => `uploads/${job}/${String(part).padStart(5, "0")}`,
  upload: (job: string) => `uploads/${job}/`,
  uploads: "uploads/",
} as const
